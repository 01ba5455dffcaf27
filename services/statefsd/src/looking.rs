//! A look at every page of the store, in pieces between requests. Nothing is committed while it is on, so that what it comes to is of one moment.

use alloc::string::String;
use alloc::vec::Vec;

use nexus_state::engine::{Check, Checked, Medium};
use nexus_state::rules::{Error, State};

/// Entries and pages of values that are looked at before the next request is taken.
pub const PIECE: usize = 32;

/// What a look came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Looked {
    /// What the engine says.
    pub checked: Checked,
    /// How much was mended before it began.
    pub mended: u32,
    /// What is not there any more of a store that is out of order, a line each.
    pub missing: Vec<String>,
}

/// Where it is.
#[derive(Default)]
pub enum Looking {
    /// There was none.
    #[default]
    Never,
    /// It is on; what was mended before it began.
    On(Check, u32),
    /// It has ended.
    Ended(Result<Looked, Error>),
}

impl Looking {
    /// Whether one is on.
    pub fn is_on(&self) -> bool {
        matches!(self, Looking::On(..))
    }

    /// Begins one, in place of what the last one came to.
    pub fn begin<M: Medium>(
        &mut self,
        state: Result<&mut State<M>, Error>,
        mended: u32,
    ) -> Result<(), Error> {
        *self = Looking::Never;
        let check = Check::begin(state?.store_mut())?;
        *self = Looking::On(check, mended);
        Ok(())
    }

    /// A store that is out of order was looked at when it was mounted: so many keys are sound, on so many pages, and this is missing.
    pub fn known(&mut self, keys: u64, pages: u32, missing: &[String]) {
        let checked = Checked { keys, pages, ..Checked::default() };
        *self = Looking::Ended(Ok(Looked { checked, mended: 0, missing: missing.to_vec() }));
    }

    /// Looks at a piece, if one is on. A medium that fails ends it.
    pub fn go_on<M: Medium>(&mut self, state: Result<&mut State<M>, Error>) {
        let Looking::On(check, mended) = self else { return };
        let stepped = state.and_then(|state| Ok(check.step(state.store_mut(), PIECE)?));
        match stepped {
            Ok(None) => {}
            Ok(Some(checked)) => {
                *self = Looking::Ended(Ok(Looked { checked, mended: *mended, missing: Vec::new() }))
            }
            Err(error) => *self = Looking::Ended(Err(error)),
        }
    }

    /// What the last one came to.
    pub fn ended(&self) -> Result<&Looked, Error> {
        match self {
            Looking::Never => Err(Error::NotFound),
            Looking::On(..) => Err(Error::Busy),
            Looking::Ended(looked) => looked.as_ref().map_err(|error| *error),
        }
    }
}
