-- Fields that searches name, by index: in how many searches, and by how many users with a name. DuckDB knows explode by
-- a macro.
SELECT
  named.day,
  named.index,
  named.field,
  count(*) AS searches,
  count(DISTINCT named.user_key) AS users
FROM (
  SELECT e.day, e.index, e.user_key, explode(e.fields) AS field
  FROM day_events AS e
  WHERE e.event_type LIKE 'query.%'
) AS named
GROUP BY named.day, named.index, named.field
