//! Who may provide a service and who may use it is decided by the registry: a second claimant and an undeclared client are refused,
//! and the decision is in the log.

use alloc::format;
use harness::{Bench, Verdict, expect, why};
use nexus_rt::api::log::Purpose;
use nexus_rt::api::samgr::Error;
use nexus_rt::samgr::{self, INTAKE_END};
use nexus_rt::wire::CallError;
use nexus_rt::{Channel, End, Owned};

use crate::SAMGRD;
use crate::reader::Reader;

/// The service that the registry gives to this process.
const OWN: &str = "selftest";

fn claim(bench: &Bench, name: &str) -> Result<Owned<Channel>, CallError<Error>> {
    let made = Owned::<Channel>::create(bench.quota, INTAKE_END, End::default());
    let (mine, theirs) = made.map_err(|_| CallError::ServerDied)?;
    samgr::register(name, End::default(), theirs).map(|()| mine)
}

fn audited(bench: &Bench, log: &mut Reader, text: &str) -> Verdict {
    let is =
        |r: &crate::reader::Record| (r.service, r.purpose, r.text.as_str()) == (SAMGRD, Purpose::Audit, text);
    log.find(bench, text, is).map(|_| ())
}

/// A name that another process provides, one that nobody does, and one's own a second time.
pub fn second_claimant(bench: &Bench) -> Verdict {
    let mut log = Reader::at_end()?;
    for name in ["echo", "log", "no-such-service"] {
        let refused = claim(bench, name).err();
        let denied = Some(CallError::Service(Error::PermissionDenied));
        expect(refused == denied, &format!("claiming `{name}`: {refused:?}"))?;
        audited(bench, &mut log, &format!("selftest: registering `{name}` refused: PermissionDenied"))?;
    }
    let first = why("claim", claim(bench, OWN))?;
    let second = claim(bench, OWN).err();
    expect(second == Some(CallError::Service(Error::Exists)), &format!("claimed twice: {second:?}"))?;
    audited(bench, &mut log, &format!("selftest: registering `{OWN}` refused: Exists"))?;
    // Whoever gives it up makes it free.
    drop(first);
    log.find(bench, "the name is free", |r| r.service == SAMGRD && r.text.starts_with("`selftest` is free"))?;
    why("claim it again", claim(bench, OWN)).map(drop)
}

/// A client of a service that it does not declare gets the answer of one that does not exist, and a decision is made.
pub fn undeclared(bench: &Bench) -> Verdict {
    let mut log = Reader::at_end()?;
    for name in ["spawn", "services", "no-such-service"] {
        let refused = samgr::connect(name).err();
        let denied = Some(CallError::Service(Error::PermissionDenied));
        expect(refused == denied, &format!("connecting to `{name}`: {refused:?}"))?;
        audited(bench, &mut log, &format!("selftest: connecting to `{name}` refused: PermissionDenied"))?;
    }
    Ok(())
}
