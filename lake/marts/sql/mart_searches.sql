-- Searches and what they cost, by user, team, index, shape, outcome and hour. The team is the owner of the asset that
-- the search came from. A shape is cut at 1,000 characters.
SELECT
  e.day,
  e.hour,
  e.user_key,
  e.asset_owner AS team,
  e.index,
  substring(e.shape, 1, 1000) AS shape,
  substring(e.event_type, 7) AS outcome,
  count(*) AS searches,
  CAST(sum(coalesce(e.hits, 0)) AS BIGINT) AS hits,
  CAST(sum(coalesce(e.took_ms, 0)) AS BIGINT) AS took_ms
FROM day_events AS e
WHERE e.event_type LIKE 'query.%'
GROUP BY e.day, e.hour, e.user_key, e.asset_owner, e.index, substring(e.shape, 1, 1000), substring(e.event_type, 7)
