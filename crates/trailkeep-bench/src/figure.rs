//! One figure and its bar.

use serde::Serialize;

use crate::quantity::show;

/// What a figure has to reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    AtLeast(f64),
    AtMost(f64),
}

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    bar: Option<Bar>,
    verdict: &'static str,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, bar: None, verdict: "" }
    }

    pub(crate) fn at_least(self, least: f64) -> Self {
        let reached = self.value >= least;
        self.judged(Bar::AtLeast(least), reached)
    }

    pub(crate) fn at_most(self, most: f64) -> Self {
        let reached = self.value <= most;
        self.judged(Bar::AtMost(most), reached)
    }

    fn judged(self, bar: Bar, reached: bool) -> Self {
        let verdict = if reached { "ok" } else { "short" };
        Self { bar: Some(bar), verdict, ..self }
    }

    /// Returns the figure as one line of a table.
    pub(crate) fn line(&self) -> String {
        let bar = match self.bar {
            None => String::new(),
            Some(Bar::AtLeast(least)) => format!(">= {}", show(least)),
            Some(Bar::AtMost(most)) => format!("<= {}", show(most)),
        };
        let Self { name, value, unit, verdict, .. } = self;
        let line = format!("  {name:<52} {:>12} {unit:<14} {bar:>10} {verdict}", show(*value));
        line.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_judged_by_its_bar() {
        let verdict = |figure: Figure| figure.verdict;
        assert_eq!(verdict(Figure::new("load", 0.3, "x").at_least(0.3)), "ok");
        assert_eq!(verdict(Figure::new("load", 0.29, "x").at_least(0.3)), "short");
        assert_eq!(verdict(Figure::new("p99", 26.0, "ms").at_most(25.0)), "short");
        assert_eq!(verdict(Figure::new("p99", f64::NAN, "ms").at_most(25.0)), "short");
        let line = Figure::new("p99", 26.0, "ms").at_most(25.0).line();
        assert!(line.contains("26.00 ms") && line.ends_with("<= 25.00 short"), "{line}");
    }
}
