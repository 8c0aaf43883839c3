-- Requests that were refused: denied, throttled, or from a caller who is not known; by hour, event, code, index and
-- user, or network.
SELECT
  e.day,
  e.hour,
  e.event_type,
  e.error_code,
  e.status,
  e.index,
  e.user_key,
  e.network,
  e.country,
  count(*) AS refusals
FROM day_events AS e
WHERE e.event_type = 'auth.failed' OR e.event_type LIKE '%.denied' OR e.event_type LIKE '%.throttled'
GROUP BY e.day, e.hour, e.event_type, e.error_code, e.status, e.index, e.user_key, e.network, e.country
