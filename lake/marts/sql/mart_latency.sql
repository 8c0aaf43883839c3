-- Milliseconds that executed searches took in Elasticsearch, by index and hour; percentiles are of the nearest rank: the
-- least value that so many of 100 searches do not exceed.
SELECT
  ranked.day,
  ranked.hour,
  ranked.index,
  count(*) AS searches,
  min(CASE WHEN ranked.place * 100 >= ranked.searches * 50 THEN ranked.took_ms END) AS p50_ms,
  min(CASE WHEN ranked.place * 100 >= ranked.searches * 95 THEN ranked.took_ms END) AS p95_ms,
  min(CASE WHEN ranked.place * 100 >= ranked.searches * 99 THEN ranked.took_ms END) AS p99_ms,
  max(ranked.took_ms) AS max_ms
FROM (
  SELECT
    e.day,
    e.hour,
    e.index,
    e.took_ms,
    row_number() OVER (PARTITION BY e.day, e.hour, e.index ORDER BY e.took_ms) AS place,
    count(*) OVER (PARTITION BY e.day, e.hour, e.index) AS searches
  FROM day_events AS e
  WHERE e.event_type = 'query.executed' AND e.took_ms IS NOT NULL
) AS ranked
GROUP BY ranked.day, ranked.hour, ranked.index
