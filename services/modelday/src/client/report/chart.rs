//! Line charts as SVG. The lines stretch with the page; the labels beside them are text of its own size.

use std::fmt::Write as _;

use chrono::{Datelike as _, NaiveDate};

use super::figures::as_float;
use super::format::escaped;
use super::heat_map::month_name;

/// Colours, which differ for colour-blind readers too; more lines are dashed.
const COLOURS: usize = 8;

/// Labels below a chart.
const X_LABELS: usize = 6;

/// A line: the classes of its style, and its value at each date, which may be absent.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) style: String,
    pub(super) values: Vec<Option<f64>>,
}

/// A chart over dates.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) dates: &'a [NaiveDate],
    pub(super) lines: Vec<Line>,
    /// How a value is written beside the chart.
    pub(super) label: fn(f64) -> String,
}

/// The class of a portfolio's line and mark.
pub(super) fn style_of(place: usize) -> String {
    let dashed = if (place / COLOURS) % 2 == 1 { " dashed" } else { "" };
    format!("c{}{dashed}", place % COLOURS)
}

/// The class of a benchmark's line and mark, by its place among the benchmarks.
pub(super) fn style_of_benchmark(place: usize) -> String {
    format!("benchmark b{}", place % 2)
}

impl Chart<'_> {
    /// The chart as a figure.
    pub(super) fn html(&self) -> String {
        let values = self.lines.iter().flat_map(|line| line.values.iter().flatten().copied());
        let (low, high) =
            values.fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let ticks = ticks(low, high);
        let (bottom, top) = (ticks.first().copied().unwrap_or(0.0), ticks.last().copied().unwrap_or(1.0));
        let y = |value: f64| 100.0 * (top - value) / (top - bottom);
        let last = as_float(self.dates.len().saturating_sub(1).max(1));
        let x = |place: usize| 100.0 * as_float(place) / last;
        let names: Vec<String> = self.lines.iter().map(|line| escaped(&line.name)).collect();
        let mut html = format!(
            "<figure class=\"chart\"><figcaption>{}</figcaption><div class=\"plot\" role=\"img\" \
             aria-label=\"{} of {}\"><svg viewBox=\"0 0 100 100\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
            escaped(self.title),
            escaped(self.title),
            names.join(", ")
        );
        for tick in &ticks {
            let class = if tick.abs() < 1e-12 { "zero" } else { "grid" };
            let _ = write!(html, "<path class=\"{class}\" d=\"M0 {0:.2}H100\"/>", y(*tick));
        }
        for line in &self.lines {
            let path = path(&line.values, &x, &y);
            let name = escaped(&line.name);
            let _ =
                write!(html, "<path class=\"line {}\" d=\"{path}\"><title>{name}</title></path>", line.style);
        }
        html.push_str("</svg>");
        for tick in &ticks {
            let _ = write!(
                html,
                "<span class=\"y\" style=\"top:{:.2}%\">{}</span>",
                y(*tick),
                (self.label)(*tick)
            );
        }
        for (nth, place) in label_places(self.dates.len()).into_iter().enumerate() {
            let Some(date) = self.dates.get(place) else { continue };
            let class = if nth % 2 == 1 { "x odd" } else { "x" };
            let (at, text) = (x(place), self.date_label(*date));
            let _ = write!(html, "<span class=\"{class}\" style=\"left:{at:.2}%\">{text}</span>");
        }
        html + "</div></figure>"
    }

    fn date_label(&self, date: NaiveDate) -> String {
        let days = match (self.dates.first(), self.dates.last()) {
            (Some(first), Some(last)) => (*last - *first).num_days(),
            _ => 0,
        };
        let month = month_name(date.month());
        if days > 300 { format!("{month} {}", date.year()) } else { format!("{month}\u{a0}{}", date.day()) }
    }
}

/// The line through the values; it breaks where one is absent.
fn path(values: &[Option<f64>], x: &impl Fn(usize) -> f64, y: &impl Fn(f64) -> f64) -> String {
    let (mut path, mut pen_down) = (String::new(), false);
    for (place, value) in values.iter().enumerate() {
        match value {
            Some(value) => {
                let _ = write!(path, "{}{:.2} {:.2}", if pen_down { "L" } else { "M" }, x(place), y(*value));
                pen_down = true;
            }
            None => pen_down = false,
        }
    }
    path
}

/// Places of labels, evenly from the first date to the last.
fn label_places(count: usize) -> Vec<usize> {
    let labels = count.min(X_LABELS);
    if labels < 2 {
        return (0..labels).collect();
    }
    (0..labels).map(|nth| nth * (count - 1) / (labels - 1)).collect()
}

/// Round values from at or below `low` to at or above `high`, at most seven.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let span = if high - low > 1e-9 { high - low } else { 0.01 };
    let magnitude = 10_f64.powf((span / 4.0).log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|step| step * magnitude);
    let step = steps.into_iter().find(|step| span / step <= 4.5).unwrap_or(span);
    let (mut ticks, mut place) = (Vec::new(), (low / step + 1e-9).floor());
    while ticks.last().is_none_or(|last| *last < high - step * 1e-9) || ticks.len() < 2 {
        ticks.push(place * step);
        place += 1.0;
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_enclose_the_values() {
        let texts = |low, high| ticks(low, high).iter().map(|tick| format!("{tick:.3}")).collect::<Vec<_>>();

        assert_eq!(texts(-0.031, 0.165), ["-0.050", "0.000", "0.050", "0.100", "0.150", "0.200"]);
        assert_eq!(texts(0.0, 0.0).first().map(String::as_str), Some("0.000"));
        assert_eq!(texts(-0.12, 0.0), ["-0.150", "-0.100", "-0.050", "0.000"]);
        for (low, high) in [(-3.0, 17.5), (0.0, 1e-3), (-1e-7, 0.0), (0.0, 12_345.0)] {
            let ticks = ticks(low, high);
            assert!(ticks.len() <= 7 && ticks[0] <= low && ticks[ticks.len() - 1] >= high, "{ticks:?}");
        }
    }

    #[test]
    fn labels_run_from_the_first_date_to_the_last() {
        assert_eq!(label_places(21), [0, 4, 8, 12, 16, 20]);
        assert_eq!(label_places(3), [0, 1, 2]);
        assert_eq!((label_places(1), label_places(0)), (vec![0], vec![]));
    }

    #[test]
    fn a_line_breaks_where_a_value_is_absent() {
        let path = path(&[Some(1.0), None, Some(2.0), Some(3.0)], &|place| as_float(place), &|value| value);

        assert_eq!(path, "M0.00 1.00M2.00 2.00L3.00 3.00");
    }
}
