//! A driver as small as can be: the other process in the proofs of gate 2. It answers what it saw through its own window, and on
//! demand reaches where it must not, which ends it.
#![cfg_attr(target_os = "none", no_std, no_main)]

extern crate alloc;

mod reach;

use alloc::vec::Vec;
use nexus_abi::{Error, NEVER, Rights, Signals};
use nexus_driver::grants::DevicePool;
use nexus_rt::memory::Mapping;
use nexus_rt::owned::{Irq, Mmio, Pool};
use nexus_rt::server::Message;
use nexus_rt::{Channel, Handles, Incoming, Owned, Server, Startup, Vmo, clock};
use rngd::source::{ASK, Source};

nexus_rt::main!(run);

/// Call with a window: map it and keep it; answer magic, version and device id as read through it.
const OP_READ: u8 = 0xe1;
/// Call with an interrupt and a pool: ask the kept window's device for entropy and wait for its interrupt. Answer how many bytes
/// came, and whether the interrupt was off then.
const OP_ENTROPY: u8 = 0xe2;
/// Message: read one byte past the kept window. This ends the process.
const OP_OUTSIDE: u8 = 0xe3;
/// Message: execute the kept window. This ends the process.
const OP_EXECUTE: u8 = 0xe4;
/// Call: give the kernel pointers into the kept window. Answer how many of them it refused as bad addresses.
const OP_POINTERS: u8 = 0xe5;
/// Call with a vmo: map it and write to its first byte; keep the mapping. Answer whether its physical address is told.
const OP_TOUCH: u8 = 0xe6;
/// Call with an interrupt: keep it as it is. Answer the number of the handle.
const OP_KEEP: u8 = 0xe7;
/// Call: answer whether the kept interrupt is on.
const OP_IS_ON: u8 = 0xe8;
/// Call: acknowledge the kept interrupt. The answer is empty.
const OP_ACKNOWLEDGE: u8 = 0xe9;

/// Key of the interrupt.
const INTERRUPT: u64 = 1;
/// How long the device may take.
const PATIENCE_MS: u64 = 5000;

/// What the process keeps between calls.
#[derive(Default)]
struct Kept {
    window: Option<Mapping>,
    memory: Option<Mapping>,
    irq: Option<Owned<Irq>>,
}

fn run(mut startup: Startup) -> u64 {
    let Some(channel) = startup.take::<Channel>("test") else { return 3 };
    startup.ready();
    match serve(&startup, channel) {
        Ok(()) => 0,
        Err(error) => error as u64,
    }
}

fn serve(startup: &Startup, channel: Owned<Channel>) -> Result<(), Error> {
    let quota = startup.quota().ok_or(Error::BadHandle)?;
    let mut server = Server::new(quota)?;
    server.attach(channel)?;
    let mut kept = Kept::default();
    loop {
        match server.next(NEVER)? {
            Incoming::Call(mut message) => {
                let bytes = server.bytes(&message).to_vec();
                let answer = act(startup, &bytes, &mut message, &mut kept)?;
                server.reply(message.token, &answer, Handles::new())?;
            }
            Incoming::Message(message) => {
                let window = kept.window.as_ref().ok_or(Error::BadState)?;
                match server.bytes(&message) {
                    [OP_OUTSIDE] => reach::read(window.address() + window.len() as u64),
                    [OP_EXECUTE] => reach::execute(window.address()),
                    _ => return Err(Error::Invalid),
                }
            }
            Incoming::Gone { .. } => return Ok(()),
            Incoming::Event { .. } | Incoming::TimedOut => {}
        }
    }
}

fn act(startup: &Startup, bytes: &[u8], message: &mut Message, kept: &mut Kept) -> Result<Vec<u8>, Error> {
    let own = startup.process().ok_or(Error::BadHandle)?;
    let mut handles = core::mem::take(&mut message.handles);
    match bytes {
        [OP_READ] => {
            let window = handles.take_typed::<Mmio>(0)?.map(own)?;
            let mut answer = Vec::new();
            for register in [0, 4, 8] {
                answer.extend(window.load::<u32>(register)?.to_le_bytes());
            }
            kept.window = Some(window);
            Ok(answer)
        }
        [OP_ENTROPY] => {
            let window = kept.window.as_ref().ok_or(Error::BadState)?;
            entropy(startup, window, handles.take_typed(0)?, handles.take_typed(1)?)
        }
        [OP_POINTERS] => {
            let at = kept.window.as_ref().ok_or(Error::BadState)?.address();
            Ok(Vec::from([reach::pointers(own.handle(), at)]))
        }
        [OP_TOUCH] => {
            let vmo: Owned<Vmo> = handles.take_typed(0)?;
            let memory = vmo.map(own, 0, vmo.info()?.size, Rights::READ | Rights::WRITE)?;
            memory.store::<u8>(0, 0x5a)?;
            kept.memory = Some(memory);
            Ok(Vec::from([u8::from(vmo.device_address().is_ok())]))
        }
        [OP_KEEP] => {
            let irq: Owned<Irq> = handles.take_typed(0)?;
            let number = irq.handle().0.to_le_bytes();
            kept.irq = Some(irq);
            Ok(Vec::from(number))
        }
        [OP_IS_ON] => {
            let irq = kept.irq.as_ref().ok_or(Error::BadState)?;
            Ok(Vec::from([u8::from(irq.info()?.on == 1)]))
        }
        [OP_ACKNOWLEDGE] => {
            kept.irq.as_ref().ok_or(Error::BadState)?.acknowledge()?;
            Ok(Vec::new())
        }
        _ => Err(Error::Invalid),
    }
}

/// One request to the device, from its reset to its answer, with no look at it before its interrupt.
fn entropy(
    startup: &Startup,
    window: &Mapping,
    irq: Owned<Irq>,
    pool: Owned<Pool>,
) -> Result<Vec<u8>, Error> {
    let own = startup.process().ok_or(Error::BadHandle)?;
    let mut server = Server::new(startup.quota().ok_or(Error::BadHandle)?)?;
    server.watch(&irq, INTERRUPT, Signals::INTERRUPT)?;
    irq.acknowledge()?;
    let mut pool = DevicePool::new(pool, own);
    let mut source = Source::new(window, &mut pool).map_err(|_| Error::QuotaExceeded)?;
    source.bring_up().and_then(|()| source.ask()).map_err(|_| Error::BadState)?;
    let mut out = [0; ASK];
    loop {
        match server.next(clock::in_millis(PATIENCE_MS))? {
            Incoming::Event { key: INTERRUPT, .. } => {
                let off = irq.info()?.on == 0;
                let count = source.interrupt(&mut out).map_err(|_| Error::BadState)?;
                if count > 0 {
                    source.bring_down().map_err(|_| Error::BadState)?;
                    return Ok(Vec::from([count as u8, u8::from(off)]));
                }
                irq.acknowledge()?;
            }
            Incoming::TimedOut => return Err(Error::TimedOut),
            _ => {}
        }
    }
}
