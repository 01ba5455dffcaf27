//! Devices: each is named once, found one way, and held by one process.

use std::format;
use std::string::{String, ToString};

use super::Refusals;
use super::naming::is_name;
use super::source::{At, DeviceModel};
use crate::device::{MAX_POOL_PAGES, MAX_VIRTIO, MAX_WINDOW_PAGES};
use crate::{MAX_DEVICE_NAME, MAX_DEVICES, MAX_NAME};

pub(super) fn check(refusals: &mut Refusals) {
    let model = refusals.model;
    if let Some(last) = model.devices.get(MAX_DEVICES) {
        let what = format!("there are {} devices", model.devices.len());
        refusals.add(last.place, what, format!("{MAX_DEVICES} is the most"));
    }
    for (index, device) in model.devices.iter().enumerate() {
        description(refusals, device);
        for earlier in &model.devices[..index] {
            if earlier.name.value == device.name.value {
                let what = format!("two devices are named `{}`", device.name.value);
                refusals.add(device.name.place, what, "rename one of them".to_string());
            }
            let place = |d: &DeviceModel| (value(&d.virtio), value(&d.compatible), d.index);
            if place(earlier) == place(device) {
                let what = format!("`{}` is the same device as `{}`", device.name.value, earlier.name.value);
                refusals.add(device.place, what, "give it another `index`, or remove it".to_string());
            }
        }
        let named = |name: &At<String>| name.value == device.name.value;
        let wanted = |p: &super::source::ProcessModel| {
            p.device.as_ref().is_some_and(named) || p.may_request.iter().any(named)
        };
        if !model.processes.iter().any(wanted) {
            let what = format!("nobody can have the device `{}`", device.name.value);
            refusals.add(
                device.place,
                what,
                "name it in a `device` or `may_request`, or remove it".to_string(),
            );
        }
    }
    grants(refusals);
}

fn value<T: Clone>(at: &Option<At<T>>) -> Option<T> {
    at.as_ref().map(|at| at.value.clone())
}

fn description(refusals: &mut Refusals, device: &DeviceModel) {
    let name = &device.name;
    if !is_name(&name.value) || name.value.len() > MAX_DEVICE_NAME {
        let mend = format!("use 1 to {MAX_DEVICE_NAME} of a-z 0-9 - . and begin with a letter");
        refusals.add(name.place, format!("`{}` is not a name", name.value), mend);
    }
    match (&device.virtio, &device.compatible) {
        (Some(virtio), None) if !(1..=MAX_VIRTIO).contains(&virtio.value) => {
            let what = format!("virtio {} is out of range", virtio.value);
            refusals.add(virtio.place, what, format!("use 1 to {MAX_VIRTIO}"));
        }
        (None, Some(compatible)) if compatible.value.is_empty() || compatible.value.len() > MAX_NAME => {
            let what = format!("compatible has {} bytes", compatible.value.len());
            refusals.add(compatible.place, what, format!("use 1 to {MAX_NAME}"));
        }
        (Some(_), None) | (None, Some(_)) => {}
        _ => {
            let what = format!("`{}` is found in two ways or in none", name.value);
            let mend = "give it either `virtio` or `compatible`".to_string();
            refusals.add(device.place, what, mend);
        }
    }
    let pages = &device.window_pages;
    if device.virtio.is_some() && pages.value != 0 {
        let what = format!("`{}` is a virtio device, whose driver has all of its window", name.value);
        refusals.add(device.place, what, "remove `window_pages`".to_string());
    }
    if pages.value > MAX_WINDOW_PAGES {
        let what = format!("window_pages {} is out of range", pages.value);
        refusals.add(pages.place, what, format!("{MAX_WINDOW_PAGES} is the most"));
    }
    if device.pool_pages.value != 0 && device.virtio.is_none() {
        let what = format!("`{}` has a pool, and nobody knows how it is reset", name.value);
        refusals.add(device.pool_pages.place, what, "only a virtio device can have a pool".to_string());
    }
    if device.pool_pages.value > MAX_POOL_PAGES {
        let what = format!("pool_pages {} is out of range", device.pool_pages.value);
        refusals.add(device.pool_pages.place, what, format!("{MAX_POOL_PAGES} is the most"));
    }
    if (device.pool_pages.value == 0) != (device.pool_vmos.value == 0) {
        let what = "pool_pages without pool_vmos, or the other way round".to_string();
        refusals.add(device.place, what, "a pool has pages, and vmos that are taken of it".to_string());
    }
}

/// Who is given what.
fn grants(refusals: &mut Refusals) {
    let model = refusals.model;
    let exists = |name: &At<String>| model.devices.iter().any(|device| device.name.value == name.value);
    for (index, process) in model.processes.iter().enumerate() {
        for (n, name) in process.device.iter().chain(&process.may_request).enumerate() {
            if !exists(name) {
                let what = format!("there is no device `{}`", name.value);
                refusals.add(name.place, what, "declare it in a [[device]], or correct the name".to_string());
            }
            let pooled = |d: &&DeviceModel| d.name.value == name.value && d.pool_pages.value != 0;
            if process.may_request.iter().any(|asked| std::ptr::eq(asked, name))
                && model.devices.iter().any(|d| pooled(&d))
            {
                let what = format!("the device `{}` reaches memory", name.value);
                let mend = "it cannot be asked for at run time; name it in the `device` of one process";
                refusals.add(name.place, what, mend.to_string());
            }
            if index == 0 {
                let what = "the first process has every device already".to_string();
                refusals.add(name.place, what, "remove it".to_string());
            }
            if process
                .device
                .iter()
                .chain(&process.may_request)
                .take(n)
                .any(|other| other.value == name.value)
            {
                let what = format!("`{}` is given the device `{}` twice", process.name.value, name.value);
                refusals.add(name.place, what, "remove one of the two".to_string());
            }
        }
        let Some(device) = &process.device else { continue };
        let holds = |p: &&super::source::ProcessModel| {
            p.device.as_ref().is_some_and(|other| other.value == device.value)
        };
        if let Some(first) = model.processes[..index].iter().find(holds) {
            let what = format!("the device `{}` is that of `{}` already", device.value, first.name.value);
            refusals.add(device.place, what, "a device has one driver; remove one claimant".to_string());
        }
        for other in model.processes.iter().filter(|other| !std::ptr::eq(*other, process)) {
            if let Some(asked) = other.may_request.iter().find(|asked| asked.value == device.value) {
                let what = format!("the device `{}` is that of `{}`", device.value, process.name.value);
                refusals.add(asked.place, what, "it cannot be asked for at run time".to_string());
            }
        }
    }
}
