"""Kafka to Elasticsearch, for any topic: a consumer group that indexes records and loses and doubles nothing.

The one seam is ``projection``: a topic's owner says there what a record becomes. All else is the same for every topic::

    group → loop → batch → bulk_writer → bulk_response → outcomes, verdict → offsets → group
                                                   └→ retry_queue, dead_letter_queue
"""
