//! Members created under Azure's documented buckets. They refill faster here, so that it takes no quarter of an hour; their
//! sizes are Azure's.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::calls::THROTTLED;
use super::case::Shape;
use super::create;
use super::figure::{Figures, Unit};
use super::stage::Stage;

/// How many times as fast they refill.
const SCALE: f64 = 4.0;

/// A bucket: its size, and what comes back each second in Azure.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    size: f64,
    refill: f64,
}

const READS: Bucket = Bucket { size: 250.0, refill: 25.0 };
const WRITES: Bucket = Bucket { size: 200.0, refill: 10.0 };
const NETWORK_READS: Bucket = Bucket { size: 10_000.0, refill: 10_000.0 / 300.0 };
const NETWORK_WRITES: Bucket = Bucket { size: 1_000.0, refill: 1_000.0 / 300.0 };

impl Bucket {
    /// How many seconds it lets pass before the last of so many calls at the earliest, scaled.
    fn floor(self, calls: f64) -> f64 {
        ((calls - self.size) / (self.refill * SCALE)).max(0.0)
    }

    fn flag(self) -> String {
        format!("{}:{}", self.size, self.refill * SCALE)
    }

    fn setting(self) -> serde_json::Value {
        json!({"size": self.size, "refillPerSecond": self.refill * SCALE})
    }
}

/// Creates all members with the same buckets on both sides.
pub(crate) async fn measure(shape: Shape) -> Result<Figures> {
    let mut setup = shape.setup("throttled");
    let settings = json!({
        "quotas": {"reads": READS.setting(), "writes": WRITES.setting(), "deletes": WRITES.setting()},
        "networkQuotas": {"reads": NETWORK_READS.setting(), "writes": NETWORK_WRITES.setting()},
    });
    setup.emulator.push(format!("--settings={settings}"));
    setup.operator = vec![
        format!("--quota-reads={}", READS.flag()),
        format!("--quota-writes={}", WRITES.flag()),
        format!("--quota-deletes={}", WRITES.flag()),
        format!("--network-quota-reads={}", NETWORK_READS.flag()),
        format!("--network-quota-writes={}", NETWORK_WRITES.flag()),
    ];
    let stage = Stage::connected(&setup).await?;
    let mark = stage.mark().await?;
    let made = create::make(&stage, shape).await?;
    let spent = stage.since(mark).await?;

    let mut figures = Figures::default();
    figures.seconds("wall", made.ready, "");
    let floor = floor(shape.members);
    figures.seconds("what the buckets demand", floor, "");
    if !floor.is_zero() {
        let times = made.ready.as_secs_f64() / floor.as_secs_f64();
        figures.add("wall / what the buckets demand", Unit::Times, times, "1.05x");
    }
    spent.figures(&mut figures, shape.members, |verb| if verb == THROTTLED { "0.1 % of all" } else { "" });
    Ok(figures)
}

/// How long the buckets make so many PUTs take at least, had nobody taken from them before.
#[allow(clippy::cast_precision_loss, reason = "a few thousand members")]
fn floor(members: usize) -> Duration {
    let puts = members as f64;
    Duration::from_secs_f64(WRITES.floor(puts).max(NETWORK_WRITES.floor(puts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tighter_bucket_decides() {
        assert_eq!(floor(200), Duration::ZERO);
        assert_eq!(floor(1_000), Duration::from_secs(20), "800 behind the first 200, at 40 a second");
        assert_eq!(floor(2_000), Duration::from_secs(75), "1,000 behind the first 1,000, at 13.3 a second");
    }
}
