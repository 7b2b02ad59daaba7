//! Counters, gauges and histograms as they are declared: the labels by number, every value of a label known when the
//! program is built. So no name, id or text that came from outside can become a series.

use prometheus_client::{
    encoding::EncodeMetric,
    metrics::{
        TypedMetric,
        counter::Counter,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::Histogram,
    },
    registry::{Metric, Registry},
};
use std::{
    fmt::{self, Debug},
    sync::atomic::AtomicU64,
};

/// The labels of one series, by name.
type Labels<const N: usize> = [(&'static str, &'static str); N];

/// Upper bounds of what takes from milliseconds to a minute, in seconds: those of the Go peers, so that ready-made dashboards fit.
const SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

/// A metric of one series for each value of its labels; of one series where it has none.
pub(crate) struct Labelled<M, const N: usize> {
    names: [&'static str; N],
    family: Family<Labels<N>, M, Make<M>>,
    /// What is exported where there is no label: braces without anything in them are left out.
    alone: M,
}

impl<M, const N: usize> Debug for Labelled<M, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "metric with the labels {:?}", self.names)
    }
}

/// Makes a series.
#[derive(Debug, Clone)]
pub(crate) struct Make<M>(fn() -> M);

impl<M> MetricConstructor<M> for Make<M> {
    fn new_metric(&self) -> M {
        (self.0)()
    }
}

impl<M: Clone + EncodeMetric + TypedMetric + Metric, const N: usize> Labelled<M, N> {
    fn register(
        registry: &mut Registry,
        (name, help): (&'static str, &'static str),
        names: [&'static str; N],
        make: fn() -> M,
    ) -> Self {
        let metric = Self { names, family: Family::new_with_constructor(Make(make)), alone: make() };
        // The library puts a full stop after it.
        let help = help.trim().trim_end_matches('.');
        if N == 0 {
            registry.register(name, help, metric.alone.clone());
        } else {
            registry.register(name, help, metric.family.clone());
        }
        metric
    }

    fn of(&self, values: [&'static str; N]) -> M {
        if N == 0 {
            return self.alone.clone();
        }
        let mut labels = self.names.map(|name| (name, ""));
        for ((_, value), given) in labels.iter_mut().zip(values) {
            *value = given;
        }
        self.family.get_or_create_owned(&labels)
    }
}

/// What only grows.
pub(crate) type Count<const N: usize> = Labelled<Counter, N>;
/// What goes up and down.
pub(crate) type Level<const N: usize> = Labelled<Gauge<f64, AtomicU64>, N>;
/// How long things take, in seconds.
pub(crate) type Spread<const N: usize> = Labelled<Histogram, N>;

impl<const N: usize> Count<N> {
    /// The word for it.
    pub(super) const TYPE: &'static str = "counter";

    pub(super) fn new(
        registry: &mut Registry,
        (name, help): (&'static str, &'static str),
        names: [&'static str; N],
    ) -> Self {
        // The library appends it.
        let name = name.strip_suffix("_total").unwrap_or(name);
        Self::register(registry, (name, help), names, Counter::default)
    }

    /// One more.
    pub(crate) fn inc(&self, values: [&'static str; N]) {
        self.of(values).inc();
    }

    /// There is such a series, be it of nothing: a rate over what never happened is 0, and not missing.
    pub(super) fn exists(&self, values: [&'static str; N]) {
        self.of(values);
    }
}

impl<const N: usize> Level<N> {
    /// The word for it.
    pub(super) const TYPE: &'static str = "gauge";

    pub(super) fn new(
        registry: &mut Registry,
        (name, help): (&'static str, &'static str),
        names: [&'static str; N],
    ) -> Self {
        Self::register(registry, (name, help), names, Gauge::default)
    }

    /// It is that now.
    pub(crate) fn set(&self, values: [&'static str; N], value: f64) {
        self.of(values).set(value);
    }

    /// So many of them are there now.
    pub(crate) fn count(&self, values: [&'static str; N], count: usize) {
        #[allow(clippy::cast_precision_loss, reason = "a count of things that fit in memory")]
        self.set(values, count as f64);
    }

    pub(super) fn add(&self, values: [&'static str; N], difference: f64) {
        self.of(values).inc_by(difference);
    }

    /// No series is left: of what is gone nothing is said.
    pub(crate) fn clear(&self) {
        self.family.clear();
    }
}

impl<const N: usize> Spread<N> {
    /// The word for it.
    pub(super) const TYPE: &'static str = "histogram";

    pub(super) fn new(
        registry: &mut Registry,
        (name, help): (&'static str, &'static str),
        names: [&'static str; N],
    ) -> Self {
        Self::register(registry, (name, help), names, || Histogram::new(SECONDS))
    }

    /// One took so long.
    pub(crate) fn observe(&self, values: [&'static str; N], seconds: f64) {
        self.of(values).observe(seconds);
    }
}
