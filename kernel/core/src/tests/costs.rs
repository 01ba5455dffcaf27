//! What each object costs, as `docs/kernel-objects.md` says it: made by its system call, counted in the quota, and all
//! of it given back.

use super::host::DEVICES_END;
use super::world::World;
use crate::objects::Quota;
use nexus_abi::{Handle, Kind, Rights};

const PAGE_OF_DOCS: &str = include_str!("../../../../docs/kernel-objects.md");

/// Where the simulated machine has devices.
const DEVICE: u64 = DEVICES_END - 0x1000;

/// A world whose process 1 makes things.
struct Maker {
    world: World,
    own: Handle,
    quota: Handle,
    resource: Handle,
    identity: Handle,
}

impl Maker {
    fn new() -> Maker {
        let world = World::new(false, 1, 1);
        let process = world.processes[1];
        let kernel = world.kernel;
        let own = kernel.publish(process, process, Kind::Process.all_rights()).expect("process");
        let quota = kernel.publish(process, world.quota.frame, Kind::Quota.all_rights()).expect("quota");
        let (resource, identity) = (world.give(1, Kind::Resource), world.give(1, Kind::Identity));
        kernel.hart(0).thread.set(kernel.thread(world.threads[0].frame));
        Maker { world, own, quota, resource, identity }
    }

    fn used(&self) -> u64 {
        self.world.kernel.memory.page::<Quota>(self.world.quota.frame).used.get()
    }

    fn close(&self, handle: Handle) {
        let kernel = self.world.kernel;
        let table = kernel.table(self.world.processes[1]);
        kernel.drop_capability(table.remove(&kernel.memory, handle).expect("open"));
    }

    /// Makes something, and answers what that was charged.
    fn cost<T>(&self, make: impl FnOnce(&Maker) -> T) -> (u64, T) {
        let before = self.used();
        let made = make(self);
        (self.used() - before, made)
    }

    /// The same of things that go when their handles are closed: they must give back what they cost.
    fn made(&self, make: impl FnOnce(&Maker) -> Vec<Handle>) -> u64 {
        let (cost, handles) = self.cost(make);
        let before = self.used();
        handles.into_iter().for_each(|handle| self.close(handle));
        assert_eq!(before - self.used(), cost, "given back");
        cost
    }

    fn process(&self, handles: u64) -> Handle {
        let args = [self.quota.0 as u64, self.identity.0 as u64, handles, 10, 0];
        self.world.kernel.process_create(self.world.kernel.hart(0), args).expect("process")
    }

    fn channel(&self, ends: [[u64; 3]; 2]) -> Vec<Handle> {
        let raw = ends.map(|[depth, bytes, handles]| depth | bytes << 16 | handles << 32);
        self.world.kernel.channel_create(self.world.processes[1], self.quota, raw).expect("channel").to_vec()
    }

    fn vmo(&self, pages: u64) -> Handle {
        self.world.kernel.vmo_create(self.world.processes[1], self.quota, pages * 4096).expect("vmo")
    }

    fn map(&self, vmo: Handle, address: u64) {
        let range = [0, 4096, address];
        let access = Rights::READ.bits() as u64;
        self.world
            .kernel
            .vm_map(self.world.kernel.hart(0), self.own.0 as u64, vmo.0 as u64, range, access)
            .expect("mapped");
    }
}

/// A row of the page, and what it costs.
type Row = (&'static str, fn(&Maker) -> u64);

const ROWS: &[Row] = &[
    ("process with 1 to 256 handles", |m| {
        assert_eq!(m.cost(|m| m.process(1)).0, 3);
        m.cost(|m| m.process(256)).0
    }),
    ("process with 257 handles", |m| m.cost(|m| m.process(257)).0),
    ("process with 4,096 handles", |m| m.cost(|m| m.process(4096)).0),
    ("its first mapping, of one page: page tables", |m| {
        let vmo = m.vmo(1);
        m.cost(|m| m.map(vmo, 0x5_0000_0000)).0
    }),
    ("another one beside it", |m| {
        let vmo = m.vmo(1);
        m.map(vmo, 0x5_0000_0000);
        m.cost(|m| m.map(vmo, 0x5_0000_1000)).0
    }),
    ("thread", |m| {
        let create = |m: &Maker| m.world.kernel.thread_create(m.world.kernel.hart(0), m.own, m.quota, 5);
        m.cost(|m| create(m).expect("thread")).0
    }),
    ("channel for calls alone", |m| m.made(|m| m.channel([[0, 4096, 8], [0, 4096, 8]]))),
    ("channel with room for 16 messages of 256 bytes each way", |m| {
        m.made(|m| m.channel([[16, 256, 0], [16, 256, 0]]))
    }),
    ("channel with room for 256 messages of 4,096 bytes and 8 handles one way", |m| {
        m.made(|m| m.channel([[256, 4096, 8], [0, 0, 0]]))
    }),
    ("port", |m| m.made(|m| vec![m.world.kernel.port_create(m.world.processes[1], m.quota).expect("port")])),
    ("vmo of 1 page", |m| m.made(|m| vec![m.vmo(1)])),
    ("vmo of 2 pages", |m| m.made(|m| vec![m.vmo(2)])),
    ("vmo of 1,024 pages", |m| m.made(|m| vec![m.vmo(1024)])),
    ("vmo of 1,025 pages", |m| m.made(|m| vec![m.vmo(1025)])),
    ("timer", |m| {
        m.made(|m| vec![m.world.kernel.timer_create(m.world.processes[1], m.quota).expect("timer")])
    }),
    ("quota of 10 pages", |m| {
        m.made(|m| vec![m.world.kernel.quota_create(m.world.processes[1], m.quota, 10, 0).expect("quota")])
    }),
    ("identity", |m| {
        let args = [m.identity.0 as u64, m.quota.0 as u64, 77];
        m.made(|m| vec![m.world.kernel.identity_create(m.world.processes[1], args).expect("identity")])
    }),
    ("window", |m| {
        let args = [m.resource.0 as u64, m.quota.0 as u64, DEVICE, 4096];
        m.made(|m| vec![m.world.kernel.mmio_create(m.world.processes[1], args).expect("window")])
    }),
    ("interrupt", |m| {
        let args = [m.resource.0 as u64, m.quota.0 as u64, 1];
        m.made(|m| vec![m.world.kernel.irq_create(m.world.processes[1], args).expect("interrupt")])
    }),
    ("pool of 4 pages", |m| m.made(|m| vec![m.pool(4)])),
    ("vmo out of a pool, to the pool's quota", |m| {
        let pool = m.pool(4);
        m.made(|m| vec![m.world.kernel.pool_take(m.world.processes[1], pool, 4 * 4096).expect("vmo")])
    }),
];

impl Maker {
    fn pool(&self, pages: u64) -> Handle {
        let args = [self.resource.0 as u64, self.quota.0 as u64, pages * 4096];
        self.world.kernel.pool_create(self.world.processes[1], args).expect("pool")
    }
}

/// As the page writes numbers.
fn grouped(number: u64) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", number / 1000, number % 1000) }
}

#[test]
fn each_object_costs_what_the_page_says() {
    let table = PAGE_OF_DOCS.split_once("| object | pages |\n|---|---|\n").expect("the table is there").1;
    let told: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
    let counted: Vec<String> =
        ROWS.iter().map(|(what, cost)| format!("| {what} | {} |", grouped(cost(&Maker::new())))).collect();
    assert_eq!(told, counted);
}
