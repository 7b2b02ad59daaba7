//! Flags for how many calls Azure is asked at most: by default what its documents say.

use avnm_arm::{Quota, Quotas};
use clap::Args;

/// How many calls go out. Each is `SIZE:PER_SECOND`: as many at once as SIZE, and PER_SECOND come back; or `none`: no bound but
/// what Azure's answers say.
#[derive(Debug, Args)]
pub(crate) struct QuotaFlags {
    /// GETs of one principal in one subscription or tenant, SIZE:PER_SECOND or none.
    #[arg(long, env = "AVNM_QUOTA_READS", default_value = "250:25", value_parser = bound)]
    quota_reads: Bound,
    /// PUTs of one principal in one subscription or tenant, SIZE:PER_SECOND or none.
    #[arg(long, env = "AVNM_QUOTA_WRITES", default_value = "200:10", value_parser = bound)]
    quota_writes: Bound,
    /// DELETEs of one principal in one subscription or tenant, SIZE:PER_SECOND or none.
    #[arg(long, env = "AVNM_QUOTA_DELETES", default_value = "200:10", value_parser = bound)]
    quota_deletes: Bound,
    /// GETs of Microsoft.Network in one subscription and region, SIZE:PER_SECOND or none [default: 10,000 in five minutes].
    #[arg(long, env = "AVNM_NETWORK_QUOTA_READS", value_parser = bound)]
    network_quota_reads: Option<Bound>,
    /// PUTs and DELETEs of Microsoft.Network in one subscription and region, SIZE:PER_SECOND or none [default: 1,000 in five
    /// minutes].
    #[arg(long, env = "AVNM_NETWORK_QUOTA_WRITES", value_parser = bound)]
    network_quota_writes: Option<Bound>,
}

impl QuotaFlags {
    /// The quotas.
    pub(crate) fn quotas(&self) -> Quotas {
        let documented = Quotas::default();
        Quotas {
            reads: self.quota_reads.0,
            writes: self.quota_writes.0,
            deletes: self.quota_deletes.0,
            network_reads: self.network_quota_reads.map_or(documented.network_reads, |bound| bound.0),
            network_writes: self.network_quota_writes.map_or(documented.network_writes, |bound| bound.0),
        }
    }
}

/// A quota, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bound(Option<Quota>);

fn bound(text: &str) -> Result<Bound, String> {
    let text = text.trim();
    if text == "none" {
        return Ok(Bound(None));
    }
    let wrong = || format!("{text:?} is no quota; write SIZE:PER_SECOND, e.g. 200:10, or none");
    let (size, refill) = text.split_once(':').ok_or_else(wrong)?;
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let (Some(size), Some(refill)) = (number(size), number(refill)) else { return Err(wrong()) };
    // A write takes two reads along, and leaves a quarter of them to others: below four none would go out.
    if !(4.0..=1e6).contains(&size) || !(1e-3..=1e6).contains(&refill) {
        return Err(format!("{text:?}: SIZE is 4 to 1000000, and PER_SECOND 0.001 to 1000000"));
    }
    Ok(Bound(Some(Quota { size, refill })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Program {
        #[command(flatten)]
        quotas: QuotaFlags,
    }

    fn quotas(flags: &[&str]) -> Result<Quotas, String> {
        use clap::Parser as _;
        let program = Program::try_parse_from([&["x"], flags].concat());
        program.map(|program| program.quotas.quotas()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_documented_ones_by_default() {
        assert_eq!(quotas(&[]), Ok(Quotas::default()));
    }

    #[test]
    fn each_can_be_another_or_none() {
        let all = ["reads", "writes", "deletes"].map(|verb| format!("--quota-{verb}=none"));
        let network = ["reads", "writes"].map(|verb| format!("--network-quota-{verb}=none"));
        let flags: Vec<&str> = all.iter().chain(&network).map(String::as_str).collect();
        assert_eq!(quotas(&flags), Ok(Quotas::NONE));
        let slower = quotas(&["--network-quota-writes= 10 : 0.5 "]).unwrap();
        assert_eq!(slower.network_writes, Some(Quota { size: 10.0, refill: 0.5 }));
    }

    #[test]
    fn what_is_none_is_told_how_to_be_one() {
        for bad in ["", "200", "200:", "a:b", "0:1", "1:0", "1:-1", "NaN:1", "inf:1", "1e9:1"] {
            let said = quotas(&[&format!("--quota-writes={bad}")]).unwrap_err();
            assert!(said.contains("SIZE") && said.contains("PER_SECOND"), "{bad}: {said}");
        }
    }
}
