//! Training cutoffs, as the latest job that names a model has them.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::error::Result;
use crate::pool::PgPool;

/// The training cutoffs of those of `models` that have one. A cutoff is a fact about the model, so the latest one counts
/// for the days of earlier jobs too.
pub async fn training_cutoffs(pool: &PgPool, models: &[&str]) -> Result<BTreeMap<String, NaiveDate>> {
    let rows: Vec<(String, NaiveDate)> = sqlx::query_as(
        "-- training_cutoffs::training_cutoffs
        SELECT given.model, (named.entry ->> 'training_cutoff')::date
        FROM UNNEST($1::text[]) AS given (model)
        CROSS JOIN LATERAL (
            SELECT job.view #> '{requested,models}' AS models
            FROM status.jobs job
            WHERE job.view #> '{requested,models}'
                @> jsonb_build_array(jsonb_build_object('signature', given.model))
            ORDER BY job.id DESC
            LIMIT 1
        ) latest
        CROSS JOIN LATERAL jsonb_array_elements(latest.models) AS named (entry)
        WHERE named.entry ->> 'signature' = given.model AND named.entry ? 'training_cutoff'",
    )
    .bind(models)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().collect())
}
