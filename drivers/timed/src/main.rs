//! `timed`: the time of day for whoever may ask.
//!
//! It reads the clock when it is asked and does nothing in between.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

use nexus_driver::Grants;
use nexus_rt::api::time::{self, Error, NowReply};
use nexus_rt::channel::end;
use nexus_rt::memory::Mapping;
use nexus_rt::wire::Sender;
use nexus_rt::{Startup, clock as ticks, info, provide, warn};
use timed::clock::Clock;

nexus_rt::main!(run);

/// Exit code when there is no clock.
const NO_DEVICE: u64 = 3;

struct Time<'a>(Clock<&'a Mapping>);

fn run(mut startup: Startup) -> u64 {
    let Ok(grants) = Grants::take(&mut startup) else {
        warn!("there is no clock");
        return NO_DEVICE;
    };
    let mut time = Time(Clock::new(&grants.window));
    match time.0.read() {
        Ok(Some(now)) => info!("the clock shows {} s since 1970", now.unix_ns / 1_000_000_000),
        Ok(None) | Err(_) => warn!("the clock shows a time that cannot be"),
    }
    provide::serve(&startup, "time", end(0, time::REQUEST_ROOM), |_, sender, packet| {
        time::dispatch(&mut time, sender, packet)
    })
}

impl time::Server for Time<'_> {
    fn now(&mut self, _sender: Sender) -> Result<NowReply, Error> {
        let reading = self.0.read().ok().flatten().ok_or(Error::NotReady)?;
        Ok(NowReply {
            unix_ns: reading.unix_ns,
            ticks: ticks::now(),
            hz: ticks::timebase(),
            steps: reading.steps,
        })
    }
}
