//! Parts that several statements share.

/// An item of FROM that makes a statement commit without waiting for the disk, if the condition holds.
///
/// It saves the wait, which is most of the time of a short statement, without the round trips of a transaction with
/// `SET LOCAL`. A crash of Postgres may lose the commit, so callers need another commit to follow, or can repeat the
/// work, and write no message: it could be published before what it tells of is stored. `OFFSET 0` keeps the planner from
/// dropping the item, whose value is not used.
macro_rules! without_waiting_if {
    ($condition:expr) => {
        concat!(
            "(SELECT CASE WHEN ",
            $condition,
            " THEN set_config('synchronous_commit', 'off', true) END OFFSET 0) AS setting"
        )
    };
}

/// Whether no worker has a lane, by its columns `lease_until` and `holder`: the lease has run out, or its holder is gone.
/// A CASE, because the second question takes a lock and is asked only when the first is answered with no.
macro_rules! is_free {
    () => {
        "CASE WHEN lease_until IS NULL OR lease_until < now() THEN true ELSE execution.is_gone(holder) END"
    };
}

pub(crate) use {is_free, without_waiting_if};
