-- A dry run of trigger follows renames, and counts what holders receive by corporate actions, as a job does.
GRANT SELECT ON market.corporate_actions TO modelday_trigger;
