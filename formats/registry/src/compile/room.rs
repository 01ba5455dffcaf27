//! What is promised under `/state` must have room: every hard quota together, by the pages that a stored byte can come to take, on the
//! partition of a disk that `nx` makes.

use std::format;

use nexus_state::rules::quotas_that_fit;

use super::Refusals;
use crate::STATE_BYTES;

pub(super) fn check(refusals: &mut Refusals) {
    let most = quotas_that_fit(STATE_BYTES);
    let mut sum: u64 = 0;
    for process in &refusals.model.processes {
        let Some(quota) = &process.state_quota else { continue };
        // What is no quota is refused where it is read.
        let hard = quota.value.split_once('/').and_then(|(_, hard)| hard.parse::<u64>().ok()).unwrap_or(0);
        sum = sum.saturating_add(hard);
        if sum > most {
            let what = format!("with `{}` the quotas of /state come to {sum} bytes", process.name.value);
            refusals.add(
                quota.place,
                what,
                format!("{most} is what surely fits: lower the quota of one of them"),
            );
            return;
        }
    }
}
