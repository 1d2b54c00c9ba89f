-- The events that were handled, are being handled, or were given up on. Safe to run again, and by many replicas at once.
select pg_advisory_xact_lock(hashtext('upvest_webhook_events'));
create table if not exists upvest_webhook_events (
    -- The event's id, or a digest of its text where it cannot be read.
    event text primary key,
    -- How many attempts to handle it have begun.
    attempts integer not null default 0,
    -- Who is handling it, and until when nobody else may.
    claim uuid,
    claimed_until timestamptz,
    -- When it was handled, or kept as a dead letter.
    handled_at timestamptz,
    -- A dead letter: the JSON of the event, its type, and why it could not be handled.
    dead_letter bytea,
    event_type text,
    failure text
);
create index if not exists upvest_webhook_events_handled_at on upvest_webhook_events (handled_at);
