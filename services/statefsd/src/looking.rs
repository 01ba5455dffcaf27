//! A look at every page of the store, in pieces between requests. Nothing is committed while it is on, so that what it comes to is of one moment.

use nexus_state::engine::{Check, Checked, Medium};
use nexus_state::rules::{Error, State};

/// Entries and pages of values that are looked at before the next request is taken.
pub const PIECE: usize = 32;

/// What a look came to, and how much was mended before it began.
pub type Looked = Result<(Checked, u32), Error>;

/// Where it is.
#[derive(Default)]
pub enum Looking {
    /// There was none.
    #[default]
    Never,
    /// It is on; what was mended before it began.
    On(Check, u32),
    /// It has ended.
    Ended(Looked),
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

    /// Looks at a piece, if one is on. A medium that fails ends it.
    pub fn go_on<M: Medium>(&mut self, state: Result<&mut State<M>, Error>) {
        let Looking::On(check, mended) = self else { return };
        let stepped = state.and_then(|state| Ok(check.step(state.store_mut(), PIECE)?));
        match stepped {
            Ok(None) => {}
            Ok(Some(checked)) => *self = Looking::Ended(Ok((checked, *mended))),
            Err(error) => *self = Looking::Ended(Err(error)),
        }
    }

    /// What the last one came to.
    pub fn ended(&self) -> Result<&(Checked, u32), Error> {
        match self {
            Looking::Never => Err(Error::NotFound),
            Looking::On(..) => Err(Error::Busy),
            Looking::Ended(looked) => looked.as_ref().map_err(|error| *error),
        }
    }
}
