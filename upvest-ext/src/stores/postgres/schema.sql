-- Events that were handled, are being handled, or are dead letters. Several replicas may run this at the same time, and repeatedly.
select pg_advisory_xact_lock(hashtext('upvest_webhook_events'));
create table if not exists upvest_webhook_events (
    -- The event's id, or a digest of its text if it cannot be decoded.
    event text primary key,
    -- The number of attempts to handle it that have begun.
    attempts integer not null default 0,
    -- The current claim, and when it expires.
    claim uuid,
    claimed_until timestamptz,
    -- When it was handled, or stored as a dead letter.
    handled_at timestamptz,
    -- A dead letter: the JSON of the event, its type, and why it could not be handled.
    dead_letter bytea,
    event_type text,
    failure text
);
create index if not exists upvest_webhook_events_handled_at on upvest_webhook_events (handled_at);
