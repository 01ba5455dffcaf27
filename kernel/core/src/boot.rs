//! The first process: made from the first program of the boot image, holding everything there is.
//!
//! The kernel knows no program by name. What must never happen: a capability minted here twice, or memory that no
//! quota accounts for.

use crate::channel::Channel;
use crate::handles::{Capability, ObjectRef};
use crate::kernel::{Answer, Kernel};
use crate::memory::{Frame, KernelBytes};
use crate::objects::{Quota, Vmo};
use crate::platform::Platform;
use core::ops::Range;
use nexus_abi::bounds::{
    CPU_PERMILLE_TOTAL, FIRST_CPU_PERMILLE, FIRST_HANDLES, FIRST_PRIORITY, MAX_PRIORITY, PAGE_SIZE,
};
use nexus_abi::{Error, Handle, Kind, Rights, StartInfo, Tag, Ticks};
use nexus_bootimg::{Access, Image, ImageError, Program, ProgramError, Segment};

/// What the machine found at boot. Both ranges are physical and were reserved.
#[derive(Clone, Debug)]
pub struct BootImage {
    /// The boot image.
    pub image: Range<u64>,
    /// The device tree.
    pub device_tree: Range<u64>,
    /// Time counter when the kernel was entered.
    pub entered: Ticks,
}

/// Why the first process could not be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BootError {
    /// There is no boot image, or it is outside the memory that was reserved.
    NoImage,
    /// It is damaged.
    Image(ImageError),
    /// Its first program is.
    Program(ProgramError),
    /// Memory does not suffice.
    Kernel(Error),
}

impl From<Error> for BootError {
    fn from(error: Error) -> Self {
        BootError::Kernel(error)
    }
}

/// Service id of the first process.
const FIRST_SERVICE: u32 = 1;
/// Its stack: below this address, above an unmapped page.
const STACK_TOP: u64 = 0x20_0000_0000;
const STACK_BYTES: u64 = 64 * 1024;
const PAGE: u64 = PAGE_SIZE as u64;

impl<P: Platform> Kernel<P> {
    /// A hart joins. Each hart calls this once before its first dispatch, and all before [`Self::start_first`].
    pub fn hart_online(&self, id: usize) {
        let hart = self.harts[id];
        hart.heap.init();
        // Every thread and timer has at least a page of its own, so there are never more nodes than frames.
        if let Some(directory) = self.memory.allocate() {
            let slots = self.memory.page::<[crate::sync::Cell32; 1024]>(directory);
            for slot in slots.iter().take((self.memory.frames() as usize).div_ceil(1024)) {
                slot.set(self.memory.allocate().map_or(0, |frame| frame.0));
            }
            hart.heap_pages.set(directory.0);
        }
        self.online.atomic().fetch_or(1 << id, crate::sync::Ordering::AcqRel);
    }

    /// Makes and starts the first process on the calling hart.
    pub fn start_first(&self, boot: BootImage) -> Result<(), BootError> {
        let bytes = self.memory.reserved_bytes(boot.image.clone()).ok_or(BootError::NoImage)?;
        let image = Image::parse(bytes).map_err(BootError::Image)?;
        let first = image.first_program();
        let program = Program::parse(first.bytes).map_err(BootError::Program)?;

        let root = self.make_root_quota()?;
        let own = self.make_process(
            Frame::NONE,
            root,
            FIRST_SERVICE,
            FIRST_HANDLES as u32,
            MAX_PRIORITY as u32,
            FIRST_CPU_PERMILLE as u32,
        )?;
        // The process holds its first handle itself; its table tells where it is.
        let process = self.only_object(root).ok_or(Error::BadHandle)?;
        let image_vmo = self.adopt(root, boot.image.clone())?;
        for segment in program.segments() {
            self.load(process, root, image_vmo, first.offset as u64, first.bytes, segment)?;
        }
        let stack = self.reference(self.make_vmo(root, STACK_BYTES)?);
        let range = [0, STACK_BYTES, STACK_TOP - STACK_BYTES];
        self.map(process, stack, range, Rights::READ | Rights::WRITE)?;

        let tree_vmo = self.adopt(root, boot.device_tree.clone())?;
        let identity = self.create(root, Kind::Identity, 1)?;
        self.memory.page::<crate::objects::Identity>(identity).service.set(FIRST_SERVICE);
        let resource = self.create(root, Kind::Resource, 1)?;
        let table = self.table(process.frame);
        let own = table.remove(&self.memory, own)?;
        self.records.resource.set(self.reference(resource).to_raw());
        let readable = Kind::Vmo.all_rights() - Rights::WRITE - Rights::SEAL - Rights::DMA;
        let gift = |frame: Frame, kind: Kind, rights: Rights| {
            self.memory.header(frame).refs.add(1);
            self.born(frame);
            Capability { object: self.reference(frame), kind, end: 0, rights }
        };
        let gifts = [
            own,
            gift(root.frame, Kind::Quota, Kind::Quota.all_rights()),
            gift(identity, Kind::Identity, Kind::Identity.all_rights()),
            gift(resource, Kind::Resource, Kind::Resource.all_rights()),
            gift(image_vmo.frame, Kind::Vmo, readable),
            gift(tree_vmo.frame, Kind::Vmo, readable),
        ];
        let info = StartInfo {
            timebase_hz: self.timebase_hz,
            harts: self.online().count_ones() as u64,
            boot_image_bytes: boot.image.end - boot.image.start,
            device_tree_bytes: boot.device_tree.end - boot.device_tree.start,
            boot_ticks: boot.entered,
        };
        let bootstrap = self.bootstrap(process.frame, root, &gifts, info)?;
        self.launch(process, root, program.entry, bootstrap)?;
        Ok(())
    }

    /// The quota that everything is split off: all memory that is left, and all processor share.
    pub(crate) fn make_root_quota(&self) -> Answer<ObjectRef> {
        let frame = self.memory.allocate().ok_or(Error::QuotaExceeded)?;
        let header = self.memory.header(frame);
        header.kind.set(Kind::Quota as u32);
        header.refs.set(1);
        let account = self.memory.page::<Quota>(frame);
        account.pages.set(self.memory.free_frames() as u64);
        account.cpu.set(CPU_PERMILLE_TOTAL as u32);
        self.root_quota.set(self.reference(frame).to_raw());
        Ok(self.reference(frame))
    }

    fn only_object(&self, quota: ObjectRef) -> Option<ObjectRef> {
        let frame = Frame(self.memory.page::<Quota>(quota.frame).objects.get());
        frame.exists().then(|| self.reference(frame))
    }

    /// A sealed vmo over physical memory that was reserved.
    fn adopt(&self, quota: ObjectRef, range: Range<u64>) -> Answer<ObjectRef> {
        let first = self.memory.frame_at(range.start).ok_or(Error::Invalid)?;
        let frame = self.create(quota, Kind::Vmo, 1)?;
        let vmo = self.memory.page::<Vmo>(frame);
        vmo.depth.set(Vmo::CONTIGUOUS);
        vmo.root.set(first.0);
        vmo.pages.set((range.end - range.start / PAGE * PAGE).div_ceil(PAGE) as u32);
        vmo.sealed.set(1);
        Ok(self.reference(frame))
    }

    /// Maps one segment: code and constants straight from the image, data as a copy.
    fn load(
        &self,
        process: ObjectRef,
        quota: ObjectRef,
        image: ObjectRef,
        program_offset: u64,
        file: &[u8],
        segment: &Segment,
    ) -> Answer<()> {
        let size = segment.mapped_size();
        if segment.access != Access::ReadWrite {
            let offset = program_offset + segment.file_offset;
            self.map(process, image, [offset, size, segment.vaddr], segment.access.rights())?;
            return Ok(());
        }
        let vmo = self.make_vmo(quota, size)?;
        let start = segment.file_offset as usize;
        let data = file.get(start..start + segment.file_size as usize).ok_or(Error::Invalid)?;
        for (n, chunk) in data.chunks(PAGE_SIZE).enumerate() {
            let to = self.memory.bytes(self.vmo_frame(vmo, n as u32), 0, chunk.len());
            self.memory.fill(to, KernelBytes::from_ref(chunk));
        }
        self.map(process, self.reference(vmo), [0, size, segment.vaddr], segment.access.rights())?;
        Ok(())
    }

    /// A channel whose receiving end the first process finds, with one message in it; nobody holds the other.
    fn bootstrap(
        &self,
        process: Frame,
        quota: ObjectRef,
        gifts: &[Capability],
        info: StartInfo,
    ) -> Answer<Handle> {
        let words =
            [info.timebase_hz, info.harts, info.boot_image_bytes, info.device_tree_bytes, info.boot_ticks];
        let spec = 1 | (size_of_val(&words) as u64) << 16 | (gifts.len() as u64) << 32;
        let [ours, other] = self.make_channel(process, quota, [spec, 0])?;
        let table = self.table(process);
        let capability = table.lookup(&self.memory, ours)?;
        let end = &self.memory.page::<Channel>(capability.object.frame).ends[capability.end as usize];
        let entry = end.entry(0);
        end.entry_tag(&self.memory, entry).set(Tag::new(size_of_val(&words), gifts.len()).0);
        for (n, gift) in gifts.iter().enumerate() {
            let (meta, object) = end.entry_handle(&self.memory, entry, n);
            meta.set(gift.meta());
            object.set(gift.object.to_raw());
        }
        for (n, word) in words.into_iter().enumerate() {
            end.entry_word(&self.memory, entry, n).set(word);
        }
        end.queued.set(1);
        end.add_waiting();
        end.handles_inside.set(gifts.len() as u32);
        self.drop_capability(table.remove(&self.memory, other)?);
        Ok(ours)
    }

    /// The first thread of the first process.
    fn launch(&self, process: ObjectRef, quota: ObjectRef, entry: u64, bootstrap: Handle) -> Answer<()> {
        let thread = self.make_thread(process, quota, FIRST_PRIORITY as u32)?;
        self.join(process, thread)?;
        self.begin(self.this_hart(), thread, [entry, STACK_TOP, 0], bootstrap);
        Ok(())
    }
}
