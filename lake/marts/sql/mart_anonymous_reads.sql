-- Searches and reads of the inventory by callers without a name, by hour, event, index and network.
SELECT
  e.day,
  e.hour,
  e.event_type,
  e.index,
  e.network,
  e.country,
  count(*) AS reads,
  CAST(sum(coalesce(e.hits, 0)) AS BIGINT) AS hits
FROM day_events AS e
WHERE e.user_key IS NULL AND e.event_type IN ('query.executed', 'inventory.read')
GROUP BY e.day, e.hour, e.event_type, e.index, e.network, e.country
