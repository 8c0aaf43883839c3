"""Rules of the scores: a query each, over the events of a day and of the four weeks before it.

``today`` has the day's events, ``past`` those of the 28 days before, ``known`` the users with at least 20 events in
them: who has hardly been seen is compared with nobody. Each query gives ``user_key`` and ``reason``, at most one row a
user. A reason has counts, indices, countries and times, never a name or the words of a query.
"""

from dataclasses import dataclass

MIN_PAST_EVENTS = 20
PAST_DAYS = 28


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    Attributes:
        name: of the rule.
        points: what it adds to a score.
        sql: the query, in DuckDB's SQL.
    """

    name: str
    points: int
    sql: str


_NEW_USER = """
SELECT user_key, 'never seen in the 28 days before' AS reason
FROM (SELECT DISTINCT user_key FROM today)
WHERE user_key NOT IN (SELECT user_key FROM past)
"""

_NEW_CLIENT = """
SELECT user_key, format('a client and a network that were not seen in the 28 days before: {} events', count(*)) AS reason
FROM today SEMI JOIN known USING (user_key)
WHERE user_agent IS NOT NULL AND network IS NOT NULL
  AND (user_key, user_agent) NOT IN (SELECT DISTINCT user_key, user_agent FROM past WHERE user_agent IS NOT NULL)
  AND (user_key, network) NOT IN (SELECT DISTINCT user_key, network FROM past WHERE network IS NOT NULL)
GROUP BY user_key
"""

_FIRST_COUNTRY = """
SELECT user_key, 'first events from ' || string_agg(DISTINCT country, ', ' ORDER BY country) AS reason
FROM today SEMI JOIN known USING (user_key)
WHERE country IS NOT NULL
  AND user_key IN (SELECT user_key FROM past WHERE country IS NOT NULL)
  AND (user_key, country) NOT IN (SELECT DISTINCT user_key, country FROM past WHERE country IS NOT NULL)
GROUP BY user_key
"""

_NEW_INDEX = """
SELECT user_key, 'first searches in ' || string_agg(DISTINCT "index", ', ' ORDER BY "index") AS reason
FROM today SEMI JOIN known USING (user_key)
WHERE event_type = 'query.executed' AND "index" IS NOT NULL
  AND (user_key, "index") NOT IN (
    SELECT DISTINCT user_key, "index" FROM past WHERE event_type = 'query.executed' AND "index" IS NOT NULL)
GROUP BY user_key
"""


def _busier(measure: str, floor: int, unit: str) -> str:
    """Query for an hour that is far above the same hour of the four weeks before: their median and its MAD.

    Four hours have a small MAD by chance, so the median counts threefold too; and what is below the floor, or below
    twice the busiest hour of those 28 days, is nothing.
    """
    return f"""
WITH now AS (
  SELECT user_key, hour, {measure} AS amount FROM today
  SEMI JOIN known USING (user_key) WHERE event_type = 'query.executed' GROUP BY ALL
), hourly AS (
  SELECT user_key, day, hour, {measure} AS amount FROM past WHERE event_type = 'query.executed' GROUP BY ALL
), same AS (
  -- The same weekday and hour; a week in which nothing happened counts as 0.
  SELECT now.user_key, now.hour, coalesce(hourly.amount, 0) AS amount
  FROM now CROSS JOIN range(1, 5) AS weeks(back)
  LEFT JOIN hourly ON hourly.user_key = now.user_key AND hourly.hour = now.hour
    AND hourly.day = $day - (weeks.back * 7)::INTEGER
), typical AS (
  SELECT user_key, hour, median(amount) AS middle, mad(amount) AS spread FROM same GROUP BY ALL
), busiest AS (
  SELECT user_key, max(amount) AS amount FROM hourly GROUP BY user_key
), found AS (
  SELECT now.user_key, now.hour, now.amount, typical.middle
  FROM now JOIN typical USING (user_key, hour) LEFT JOIN busiest USING (user_key)
  WHERE now.amount >= {floor} AND now.amount >= 3 * typical.middle
    AND now.amount > typical.middle + 6 * 1.4826 * typical.spread AND now.amount > 2 * coalesce(busiest.amount, 0)
)
SELECT user_key, arg_max(
  format('{{}} {unit} from {{}}:00 UTC on; {{}} is the median of that hour of the week', amount::BIGINT, hour,
    middle::BIGINT), amount) AS reason
FROM found GROUP BY user_key
"""


_FAILURES = """
WITH now AS (
  SELECT user_key, count(*) FILTER (status >= 400) AS failures, count(*) AS events FROM today GROUP BY user_key
), daily AS (
  SELECT user_key, day, count(*) FILTER (status >= 400) AS failures FROM past GROUP BY ALL
), worst AS (
  SELECT user_key, max(failures) AS failures FROM daily GROUP BY user_key
)
SELECT user_key, format('{} of {} requests failed; {} a day at most before', now.failures, now.events,
  coalesce(worst.failures, 0)) AS reason
FROM now LEFT JOIN worst USING (user_key)
WHERE now.failures >= 20 AND 3 * now.failures >= now.events AND now.failures >= 3 * coalesce(worst.failures, 0)
"""

_REFUSED_THEN_GRANTED = """
SELECT refused.user_key,
  'refused, and then let in: ' || string_agg(DISTINCT refused."index", ', ' ORDER BY refused."index") AS reason
FROM today AS refused JOIN today AS granted
  ON granted.user_key = refused.user_key AND granted."index" = refused."index" AND granted.time > refused.time
WHERE refused.event_type = 'query.denied' AND granted.event_type = 'query.executed'
  AND (refused.user_key, refused."index") NOT IN (
    SELECT DISTINCT user_key, "index" FROM past WHERE event_type = 'query.executed' AND "index" IS NOT NULL)
GROUP BY refused.user_key
"""

_SWEEP = """
WITH now AS (
  SELECT user_key, shape, count(DISTINCT query) AS queries FROM today
  WHERE event_type = 'query.executed' AND shape <> '' GROUP BY ALL
), widest AS (
  SELECT user_key, max(queries) AS queries FROM (
    SELECT user_key, day, shape, count(DISTINCT query) AS queries FROM past
    WHERE event_type = 'query.executed' AND shape <> '' GROUP BY ALL)
  GROUP BY user_key
)
SELECT user_key, format('{} different values in one kind of search; {} a day at most before', max(now.queries),
  coalesce(max(widest.queries), 0)) AS reason
FROM now LEFT JOIN widest USING (user_key)
WHERE now.queries >= 100 AND now.queries >= 3 * coalesce(widest.queries, 0)
GROUP BY user_key
"""

# A stream has no number of hits, and a search for everything has a shape without a word.
_STREAMS_OF_EVERYTHING = """
WITH now AS (
  SELECT user_key, count(*) AS streams, string_agg(DISTINCT "index", ', ' ORDER BY "index") AS indices FROM today
  WHERE event_type = 'query.executed' AND shape = '' AND hits IS NULL GROUP BY user_key
), most AS (
  SELECT user_key, max(streams) AS streams FROM (
    SELECT user_key, day, count(*) AS streams FROM past
    WHERE event_type = 'query.executed' AND shape = '' AND hits IS NULL GROUP BY ALL)
  GROUP BY user_key
)
SELECT user_key, format('{} streams of everything in {}; {} a day at most before', now.streams, now.indices,
  coalesce(most.streams, 0)) AS reason
FROM now LEFT JOIN most USING (user_key)
WHERE now.streams > 2 * coalesce(most.streams, 0)
"""

_SECRETS = r"""
WITH words AS (
  SELECT '(?i)(passw|passphrase|secret|credential|api[_-]?key|private[_-]?key|access[_-]?token|id_rsa)' AS pattern
), now AS (
  SELECT user_key, count(DISTINCT query) AS queries FROM today, words
  WHERE event_type LIKE 'query.%' AND regexp_matches(query, pattern) GROUP BY user_key
), most AS (
  SELECT user_key, max(queries) AS queries FROM (
    SELECT user_key, day, count(DISTINCT query) AS queries FROM past, words
    WHERE event_type LIKE 'query.%' AND regexp_matches(query, pattern) GROUP BY ALL)
  GROUP BY user_key
)
SELECT user_key, format('{} different searches for secrets; {} a day at most before', now.queries,
  coalesce(most.queries, 0)) AS reason
FROM now LEFT JOIN most USING (user_key)
WHERE now.queries >= 3 AND now.queries > 3 * coalesce(most.queries, 0)
"""

_OWN_TRAIL = """
SELECT user_key, format('searched the audit trail for themselves: {} searches', count(*)) AS reason
FROM today
WHERE event_type = 'query.executed' AND "index" LIKE 'query-logs-%' AND contains(lower(query), lower(user_id))
GROUP BY user_key
"""

RULES = (
    Rule("new user", 10, _NEW_USER),
    Rule("new client", 25, _NEW_CLIENT),
    Rule("first country", 30, _FIRST_COUNTRY),
    Rule("new index", 15, _NEW_INDEX),
    Rule("more searches", 40, _busier("count(*)", 60, "searches")),
    Rule("more rows", 40, _busier("coalesce(sum(hits), 0)", 10_000, "rows found")),
    Rule("many failures", 40, _FAILURES),
    Rule("refused then granted", 40, _REFUSED_THEN_GRANTED),
    Rule("sweep", 50, _SWEEP),
    Rule("stream of everything", 40, _STREAMS_OF_EVERYTHING),
    Rule("secrets", 60, _SECRETS),
    Rule("own trail", 50, _OWN_TRAIL),
)
"""In the order in which reasons are given."""
