//! Borrowed bytes and text whose type carries their bound, so that nothing too long can reach a message.

use core::ops::Deref;

/// The value is longer than the bound in its type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong;

/// At most `N` bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Bytes<'a, const N: usize>(&'a [u8]);

/// UTF-8 text of at most `N` bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Text<'a, const N: usize>(&'a str);

impl<'a, const N: usize> Bytes<'a, N> {
    /// Checks the bound.
    pub const fn new(bytes: &'a [u8]) -> Result<Self, TooLong> {
        if bytes.len() <= N { Ok(Bytes(bytes)) } else { Err(TooLong) }
    }

    /// The bytes, for as long as what they were borrowed from lives.
    pub const fn get(self) -> &'a [u8] {
        self.0
    }
}

impl<'a, const N: usize> Text<'a, N> {
    /// Checks the bound.
    pub const fn new(text: &'a str) -> Result<Self, TooLong> {
        if text.len() <= N { Ok(Text(text)) } else { Err(TooLong) }
    }

    /// As much of the text as fits, cut between characters. For text such as log lines, where a part is
    /// better than nothing; what must arrive whole goes through [`Text::new`].
    pub fn cut(text: &'a str) -> Self {
        let mut end = text.len().min(N);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Text(&text[..end])
    }

    /// The text, for as long as what it was borrowed from lives.
    pub const fn get(self) -> &'a str {
        self.0
    }
}

impl<const N: usize> Deref for Bytes<'_, N> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.0
    }
}

impl<const N: usize> Deref for Text<'_, N> {
    type Target = str;
    fn deref(&self) -> &str {
        self.0
    }
}

impl<'a, const N: usize> TryFrom<&'a [u8]> for Bytes<'a, N> {
    type Error = TooLong;
    fn try_from(bytes: &'a [u8]) -> Result<Self, TooLong> {
        Bytes::new(bytes)
    }
}

impl<'a, const N: usize> TryFrom<&'a str> for Text<'a, N> {
    type Error = TooLong;
    fn try_from(text: &'a str) -> Result<Self, TooLong> {
        Text::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_fits_and_one_past_it_does_not() {
        assert_eq!(Bytes::<3>::new(b"abc").map(|b| b.len()), Ok(3));
        assert_eq!(Bytes::<3>::new(b"abcd"), Err(TooLong));
        assert_eq!(Text::<3>::new("abc").map(|t| t.len()), Ok(3));
        assert_eq!(Text::<3>::new("abcd"), Err(TooLong));
        assert_eq!(Bytes::<0>::new(b"").map(|b| b.len()), Ok(0));
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(Text::<3>::cut("abcd").get(), "abc");
        assert_eq!(Text::<3>::cut("abé").get(), "ab");
        assert_eq!(Text::<3>::cut("ab").get(), "ab");
        assert_eq!(Text::<1>::cut("é").get(), "");
    }
}
