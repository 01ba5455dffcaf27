//! Host tests of the kernel, on a simulated machine of one hart. Only what stands in this folder may know it.

mod channels;
mod controller;
mod devices;
mod fast;
mod host;
mod hostile;
mod vmos;
mod world;
