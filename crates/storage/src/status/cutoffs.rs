//! Training cutoffs, as the latest job that names a model has them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::PgPool;

use crate::error::Result;

/// The training cutoffs of `models`; those without one are missing from the answer. A cutoff is a fact about
/// the model, so that the latest one counts for days of earlier jobs too.
///
/// # Errors
/// When Postgres refuses.
pub async fn training_cutoffs(pool: &PgPool, models: &[&str]) -> Result<BTreeMap<String, NaiveDate>> {
    let rows: Vec<(String, NaiveDate)> = sqlx::query_as(
        "-- cutoffs::training_cutoffs
        SELECT wanted.model, (asked.entry ->> 'training_cutoff')::date
        FROM UNNEST($1::text[]) AS wanted (model)
        CROSS JOIN LATERAL (
            SELECT job.view #> '{requested,models}' AS models
            FROM status.jobs job
            WHERE job.view #> '{requested,models}'
                @> jsonb_build_array(jsonb_build_object('signature', wanted.model))
            ORDER BY job.id DESC
            LIMIT 1
        ) latest
        CROSS JOIN LATERAL jsonb_array_elements(latest.models) AS asked (entry)
        WHERE asked.entry ->> 'signature' = wanted.model AND asked.entry ? 'training_cutoff'",
    )
    .bind(models)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().collect())
}
