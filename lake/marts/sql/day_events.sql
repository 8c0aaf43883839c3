-- One row an event of a day, without names: what the marts are made of. A record that came twice, and that compaction
-- has not taken out yet, is counted once, at its first place. Few did, so only events of one hash are put in order.
-- DuckDB knows xxhash64 by a macro.
WITH doubled AS (
  SELECT xxhash64(events.event_id) AS hash
  FROM events
  WHERE events.day = {day}
  GROUP BY xxhash64(events.event_id)
  HAVING count(*) > 1
)
SELECT
  events.day,
  events.hour,
  events.event_type,
  events.user_key,
  events.asset_owner,
  events.network,
  events.country,
  events.index,
  events.shape,
  events.fields,
  events.hits,
  events.took_ms,
  events.status,
  events.error_code
FROM events
WHERE events.day = {day} AND xxhash64(events.event_id) NOT IN (SELECT doubled.hash FROM doubled)
UNION ALL
SELECT
  placed.day,
  placed.hour,
  placed.event_type,
  placed.user_key,
  placed.asset_owner,
  placed.network,
  placed.country,
  placed.index,
  placed.shape,
  placed.fields,
  placed.hits,
  placed.took_ms,
  placed.status,
  placed.error_code
FROM (
  SELECT
    events.day,
    events.hour,
    events.event_type,
    events.user_key,
    events.asset_owner,
    events.network,
    events.country,
    events.index,
    events.shape,
    events.fields,
    events.hits,
    events.took_ms,
    events.status,
    events.error_code,
    row_number() OVER (
      PARTITION BY events.event_id
      ORDER BY events.kafka_time, events.topic_id, events.partition, events.offset
    ) AS place
  FROM events
  WHERE events.day = {day} AND xxhash64(events.event_id) IN (SELECT doubled.hash FROM doubled)
) AS placed
WHERE placed.place = 1
