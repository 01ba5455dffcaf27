//! `echo`: the worked example of `docs/how-to-add-a-service.md`, and what the device tests of clients talk to.
//!
//! It must never let one client's waiting call hold up another's.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;
use nexus_rt::api::echo::{self, *};
use nexus_rt::channel::end;
use nexus_rt::wire::{Bytes, Held, Sender, Text, kinds};
use nexus_rt::{Any, End, Owned, Startup, provide, sys};

nexus_rt::main!(run);

/// What the service's end of a client's channel can receive: two notes may wait.
const RECEIVES: End = end(2, echo::REQUEST_ROOM);

/// Exit code when a client asked for it.
const ASKED_TO: u64 = 9;

/// Most calls that wait for a release.
const MAX_WAITING: usize = 4;

#[derive(Default)]
struct Echo {
    total: u64,
    doomed: bool,
    bytes: Vec<u8>,
    text: String,
    waiting: Vec<(u32, WaitPromise)>,
}

/// The service while it handles one message, with the loop that carries answers which were kept.
struct Turn<'a> {
    echo: &'a mut Echo,
    server: &'a mut nexus_rt::Server,
}

fn run(startup: Startup) -> u64 {
    let mut echo = Echo::default();
    provide::serve(&startup, "echo", RECEIVES, |server, sender, packet| {
        if echo.doomed && sender.is_call() {
            sys::process_exit(ASKED_TO);
        }
        echo::dispatch(&mut Turn { echo: &mut echo, server }, sender, packet)
    })
}

impl echo::Server<Owned<Any>> for Turn<'_> {
    fn words(&mut self, _: Sender, a: u64, b: u64, c: u64, d: u64) -> Result<WordsReply, Error> {
        Ok(WordsReply { a, b, c, d })
    }

    fn data(&mut self, _: Sender, data: Bytes<'_, MAX_DATA>) -> Result<DataReply<'_>, Error> {
        self.echo.bytes = data.to_vec();
        Ok(DataReply { data: Bytes::new(&self.echo.bytes).map_err(|_| Error::Invalid)? })
    }

    fn text(
        &mut self,
        _: Sender,
        manner: Manner,
        stamps: [Stamp; 3],
        text: Text<'_, 200>,
    ) -> Result<TextReply<'_>, Error> {
        if text.is_empty() {
            return Err(Error::Invalid);
        }
        self.echo.text = match manner {
            Manner::Plain => String::from(text.get()),
            Manner::Loud => text.to_uppercase(),
        };
        Ok(TextReply { stamps, text: Text::new(&self.echo.text).map_err(|_| Error::Invalid)? })
    }

    fn pass(
        &mut self,
        _: Sender,
        mark: u32,
        memory: Held<Owned<Any>, kinds::Vmo>,
    ) -> Result<PassReply<Owned<Any>>, Error> {
        Ok(PassReply { mark, memory })
    }

    fn count(&mut self, _: Sender, by: u64) -> Result<CountReply, Error> {
        self.echo.total = self.echo.total.wrapping_add(by);
        Ok(CountReply { total: self.echo.total })
    }

    fn crash(&mut self, _: Sender) -> Result<(), Error> {
        sys::process_exit(ASKED_TO)
    }

    fn note(&mut self, _: Sender, by: u64) {
        self.echo.total = self.echo.total.wrapping_add(by);
    }

    fn doom(&mut self, _: Sender) -> Result<(), Error> {
        self.echo.doomed = true;
        Ok(())
    }

    fn wait(&mut self, _: Sender, promise: WaitPromise, mark: u32) -> Result<Option<WaitReply>, Error> {
        // The oldest gives way: its caller may be gone long since, which nobody tells the server.
        if self.echo.waiting.len() == MAX_WAITING {
            let (_, oldest) = self.echo.waiting.remove(0);
            oldest.keep(self.server, Err(Error::NotReady));
        }
        self.echo.waiting.push((mark, promise));
        Ok(None)
    }

    fn release(&mut self, _: Sender, mark: u32) -> Result<ReleaseReply, Error> {
        let released: Vec<_> = self.echo.waiting.extract_if(.., |(waits, _)| *waits == mark).collect();
        let count = released.len() as u32;
        for (_, promise) in released {
            promise.keep(self.server, Ok(WaitReply { released: count }));
        }
        Ok(ReleaseReply { released: count })
    }
}
