//! The row of a fault: from the instruction that faults, in a process of its own, to the first one of its supervisor, which waited to be
//! told. It is told before anything of the process is touched: what follows is not counted.

use crate::Report;
use crate::measure;
use crate::rows::{Step, agreed, why};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use nexus_abi::bounds::PAGE_SIZE;
use nexus_abi::{ExitCause, NEVER, Rights, Signals};
use nexus_rt::{
    Channel, Child, End, IdentityKind, Limits, Owned, PortKind, QuotaKind, READ_WRITE, Startup, Vmo, clock,
    sys,
};

/// Processes that fault before counting begins, and those that count.
const WARM: usize = 4;
const COUNTED: usize = 40;

/// Where a process that faults has its code, far from where other programs have any, and the page that it shares.
const CODE: u64 = 0x5000_0000;
const NOTED: u64 = 0x5001_0000;

/// Its priority, below its supervisor's.
const PRIORITY: u8 = 9;

/// How long its supervisor waits at most: less than a slice, so that the timer is set for that, whatever else is due, and stays so.
const PATIENCE_MS: u64 = 1;

/// What its supervisor knows it by.
const KEY: u64 = 7;

/// A store's page fault (`scause`).
const STORE_PAGE_FAULT: u64 = 15;

const PAGE: u64 = PAGE_SIZE as u64;

/// The row.
pub fn row(
    startup: &Startup,
    quota: &Owned<QuotaKind>,
    identity: &Owned<IdentityKind>,
    report: &mut Report,
) -> Step {
    let own = startup.process().ok_or("no process")?;
    let draft = why("code", Owned::<Vmo>::create(quota, PAGE))?;
    let mapping = why("map", draft.map(own, 0, PAGE, READ_WRITE))?;
    why("write", mapping.write(0, measure::fault_code()))?;
    drop(mapping);
    let code = why("seal", draft.into_sealed())?;
    let page = why("page", Owned::<Vmo>::create(quota, PAGE))?;
    let noted = why("map", page.map(own, 0, PAGE, READ_WRITE))?;
    let port = why("port", Owned::<PortKind>::create(quota))?;
    let once = || -> Result<u64, String> {
        let limits = Limits { handles: 16, priority: PRIORITY, cpu: 0 };
        let child = why("process", Child::create(quota, identity, limits))?;
        why("map", child.map(&code, 0, PAGE, CODE, Rights::READ | Rights::EXECUTE))?;
        why("map", child.map(&page, 0, PAGE, NOTED, READ_WRITE))?;
        let (its, _mine) = why("channel", Owned::<Channel>::create(quota, End::default(), End::default()))?;
        why("bind", port.bind(child.process(), KEY, Signals::ENDING | Signals::TERMINATED))?;
        why("start", child.start(quota, PRIORITY, CODE, 0, NOTED, its))?;
        let told = measure::fault(noted.address(), port.handle(), clock::in_millis(PATIENCE_MS));
        if (told.status, told.key, told.signals) != (0, KEY, Signals::ENDING.bits().into()) {
            return Err(format!("status {}, key {}, signals {:#x}", told.status, told.key, told.signals));
        }
        let record = why("record", child.process().exit_record())?;
        let at = CODE + measure::fault_at();
        if (record.cause, record.code, record.pc) != (ExitCause::Faulted as u32, STORE_PAGE_FAULT, at) {
            return Err(format!("it ended otherwise: {record:x?}"));
        }
        let last = why("wait", sys::reply_and_wait_words(port.handle(), 0, 0, [0; 6], NEVER))?;
        if last.signals != Signals::TERMINATED.bits().into() {
            return Err(format!("signals {:#x} in place of the end", last.signals));
        }
        Ok(told.count)
    };
    let row = || (0..WARM + COUNTED).map(|_| once()).collect::<Result<Vec<_>, _>>();
    let mut counts = agreed(|| row().map(|mut counts| counts.split_off(WARM)))?;
    report.mark("fault.deliver", (CODE + measure::fault_at(), measure::fault_told()));
    report.figure("fault.deliver", &mut counts);
    Ok(())
}
