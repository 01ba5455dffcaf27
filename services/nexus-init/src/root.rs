//! What the kernel hands the first process: everything there is.

use alloc::boxed::Box;
use nexus_abi::{Error, Rights};
use nexus_bootimg::Image;
use nexus_registry::Registry;
use nexus_rt::owned::Resource;
use nexus_rt::{Channel, IdentityKind, Owned, ProcessKind, QuotaKind, Vmo, clock, logging, startup};

/// Pages and processor share that are split off for this process when the registry cannot be asked yet: its heap and
/// the channels it makes.
const OWN_PAGES: u64 = 512;

/// The root resources.
#[derive(Debug)]
pub struct Root {
    /// What all other quotas are split off.
    pub quota: Owned<QuotaKind>,
    /// What mints identities.
    pub minter: Owned<IdentityKind>,
    /// The root resource.
    pub resource: Owned<Resource>,
    /// The boot image.
    pub image: Owned<Vmo>,
    /// The device tree.
    pub device_tree: Owned<Vmo>,
    boot_image_bytes: u64,
    device_tree_bytes: u64,
}

/// Why the system cannot be brought up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BootError {
    /// The kernel refused.
    Kernel(Error),
    /// The boot image is damaged.
    Image(nexus_bootimg::ImageError),
    /// The boot image has no registry, or a damaged one.
    Registry,
    /// A process that the system cannot go on without keeps failing; the machine did not restart when asked.
    Critical,
}

impl From<Error> for BootError {
    fn from(error: Error) -> Self {
        BootError::Kernel(error)
    }
}

fn number(bytes: &[u8], index: usize) -> Result<u64, Error> {
    let field = bytes.get(index * 8..).and_then(|rest| rest.first_chunk::<8>());
    Ok(u64::from_le_bytes(*field.ok_or(Error::Invalid)?))
}

impl Root {
    /// Takes the kernel's message, and gives the runtime its heap.
    pub fn receive(bootstrap: &Owned<Channel>) -> Result<Root, Error> {
        let mut room = [0; 256];
        let mut message = bootstrap.receive(&mut room)?;
        clock::set_timebase(number(message.bytes, 0)?);
        let boot_image_bytes = number(message.bytes, 2)?;
        let device_tree_bytes = number(message.bytes, 3)?;
        let handles = &mut message.handles;
        let process: Owned<ProcessKind> = handles.take_typed(0)?;
        let root = Root {
            quota: handles.take_typed(1)?,
            minter: handles.take_typed(2)?,
            resource: handles.take_typed(3)?,
            image: handles.take_typed(4)?,
            device_tree: handles.take_typed(5)?,
            boot_image_bytes,
            device_tree_bytes,
        };
        logging::set_console(root.resource.duplicate(Rights::CONSOLE)?, "nexus-init");
        startup::adopt(process, root.quota.split(OWN_PAGES, 0)?);
        Ok(root)
    }

    /// A handle that can only end or restart the machine.
    pub fn resource_for_reset(&self) -> Result<Owned<Resource>, Error> {
        self.resource.duplicate(Rights::RESET)
    }

    /// Has the device tree read, which firmware places at the beginning of a page.
    pub fn with_device_tree<T>(&self, read: impl FnOnce(&[u8]) -> T) -> Result<T, Error> {
        let own = startup::own_process().ok_or(Error::BadHandle)?;
        let mapping = self.device_tree.map(own, 0, self.device_tree.info()?.size, Rights::READ)?;
        let bytes = mapping.sealed_bytes().ok_or(Error::Invalid)?;
        let length = usize::try_from(self.device_tree_bytes).map_err(|_| Error::Invalid)?;
        let tree = bytes.get(..length).ok_or(Error::Invalid)?;
        Ok(read(tree))
    }

    /// The checked boot image and its registry, for as long as the machine runs.
    pub fn read_image(&self) -> Result<(Image<'static>, Registry<'static>), BootError> {
        let own = startup::own_process().ok_or(Error::BadHandle)?;
        let size = self.image.info()?.size;
        let mapping = Box::leak(Box::new(self.image.map(own, 0, size, Rights::READ)?));
        let bytes = mapping.sealed_bytes().ok_or(Error::Invalid)?;
        let length = usize::try_from(self.boot_image_bytes).map_err(|_| Error::Invalid)?;
        let image = bytes.get(..length).ok_or(Error::Invalid)?;
        let image = Image::parse(image).map_err(BootError::Image)?;
        let registry = image.registry().and_then(|entry| Registry::parse(entry.bytes).ok());
        Ok((image, registry.ok_or(BootError::Registry)?))
    }
}
