//! What the board promises, by name.

use futures::FutureExt as _;

use crate::{Claim, away, day, figures, jobs, models, new_job, pages, standings, traces};

macro_rules! claims {
    ($($module:ident::$name:ident),+ $(,)?) => {
        &[$((stringify!($name), |stage| $module::$name(stage).boxed_local())),+]
    };
}

pub(crate) const ALL: &[(&str, Claim)] = claims![
    jobs::a_running_job_is_followed_with_little_traffic,
    pages::every_page_is_without_barriers_and_keeps_the_policy_in_every_width_and_scheme,
    figures::figures_of_long_lists_and_charts,
    pages::files_are_compressed_and_kept_for_ever_and_the_page_is_asked_for_again,
    jobs::jobs_made_sixty_at_once_are_all_listed,
    jobs::jobs_are_counted_by_state_and_found_by_text,
    jobs::several_jobs_are_cancelled_together,
    jobs::holidays_and_completed_days_are_facts_and_no_warnings,
    jobs::counts_are_right_beyond_what_one_answer_lists,
    jobs::equal_failures_are_one_row,
    jobs::an_id_stays_on_one_line,
    day::a_day_shows_thoughts_calls_refusals_and_holdings_with_prices,
    day::the_keyboard_alone_reads_a_day_and_goes_to_the_next,
    traces::a_job_a_day_and_a_dead_letter_link_to_their_traces,
    new_job::the_keyboard_alone_starts_a_job,
    new_job::what_is_wrong_is_told_at_its_field,
    models::a_model_and_a_universe_are_added_changed_and_removed_and_it_is_known_by_whom,
    jobs::what_one_browser_does_the_other_shows,
    standings::costs_have_a_column_and_an_unknown_one_is_a_dash,
    standings::axes_have_signs_and_any_size,
    standings::a_fall_names_its_days_and_what_lost,
    standings::a_stale_portfolio_has_no_rank_and_is_drawn_as_what_it_is,
    standings::columns_are_chosen_and_sorted,
    away::development_is_marked_and_a_server_that_is_away_is_told_and_waited_for,
];
