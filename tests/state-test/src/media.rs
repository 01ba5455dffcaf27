//! What a client sees of a medium that is not as it should be: how the store is, whether a value that was there is, what becomes of
//! durable puts, and whether what was acknowledged is there afterwards. It judges nothing: what there must be, the host knows, which made the medium.

use alloc::format;
use alloc::vec::Vec;

use nexus_rt::api::state::Error;
use nexus_rt::wire::{Bytes, CallError};

use crate::{Test, Verdict, text, why};

/// Durable puts, and bytes of each.
const PUTS: usize = 400;
const VALUE: usize = 3000;

/// Errors in a row after which no more is put.
const MAX_ERRORS: usize = 3;

impl Test {
    /// All of it. Only a kernel that refuses, or a server that is not there, ends it early.
    pub fn media(&mut self) -> Verdict {
        let health = why("health", self.state.health())?;
        self.say(&format!("MEDIA fault={}", health.fault));
        let kept = Test::outcome(self.get("app/test/kept").map(|(bytes, _)| bytes.len()));
        self.say(&format!("MEDIA kept {kept}"));
        let (mut acknowledged, mut errors, mut row) = (Vec::new(), Vec::new(), 0);
        for number in 0..PUTS {
            let data = [number as u8; VALUE];
            let path = format!("app/test/media/{number:03}");
            match self.state.put(true, text(&path), Bytes::new(&data).unwrap_or_default()) {
                Ok(_) => {
                    acknowledged.push(number);
                    row = 0;
                }
                Err(CallError::Service(error)) => {
                    errors.push(error);
                    row += 1;
                }
                Err(other) => return why(&path, Err(other)),
            }
            if row == MAX_ERRORS {
                break;
            }
        }
        let first = errors.first().map_or("none".into(), |error| format!("{error:?}"));
        let is_one = errors.iter().all(|error| Some(error) == errors.first());
        self.say(&format!(
            "MEDIA puts acknowledged={} errors={} first={first} same={is_one}",
            acknowledged.len(),
            errors.len()
        ));
        let mut there = 0;
        for number in &acknowledged {
            self.expect(&format!("app/test/media/{number:03}"), &[*number as u8; VALUE])?;
            there += 1;
        }
        self.say(&format!("MEDIA there={there}"));
        // Deleting makes room, also where nothing else is taken.
        for number in &acknowledged {
            why("delete", self.state.delete(text(&format!("app/test/media/{number:03}"))))?;
        }
        let again = self.state.put(true, text("app/test/again"), Bytes::new(b"again").unwrap_or_default());
        let again = Test::outcome(again.map(|_| 5));
        self.say(&format!("MEDIA again {again}"));
        let health = why("health", self.state.health())?;
        self.say(&format!("MEDIA end fault={} mended={}", health.fault, health.mended));
        Ok(())
    }

    /// What came of a request, in a word.
    fn outcome(outcome: Result<usize, CallError<Error>>) -> alloc::string::String {
        match outcome {
            Ok(bytes) => format!("ok bytes={bytes}"),
            Err(CallError::Service(error)) => format!("{error:?}"),
            Err(other) => format!("{other:?}"),
        }
    }
}
