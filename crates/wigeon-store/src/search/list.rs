//! A list of positions as the index keeps it: ascending, each as the distance from the one before it, seven
//! bits a byte.

/// A list that grows.
#[derive(Debug)]
pub(crate) struct List {
    bytes: Vec<u8>,
    last: u64,
}

impl List {
    /// An empty list of positions after `low`.
    pub(crate) fn after(low: u64) -> Self {
        Self { bytes: Vec::new(), last: low }
    }

    /// Adds a position that is not before the last; the last one again is no other.
    pub(crate) fn push(&mut self, position: u64) {
        let mut distance = position - self.last;
        if distance == 0 {
            return;
        }
        self.last = position;
        while distance > 0x7f {
            self.bytes.push(distance as u8 | 0x80);
            distance >>= 7;
        }
        self.bytes.push(distance as u8);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The positions of a list that begins after `low`.
pub(crate) fn read(low: u64, bytes: &[u8]) -> impl Iterator<Item = u64> {
    let mut bytes = bytes.iter();
    let mut last = low;
    std::iter::from_fn(move || {
        let (mut distance, mut shift) = (0, 0);
        loop {
            let byte = bytes.next()?;
            distance |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                last += distance;
                return Some(last);
            }
            shift += 7;
        }
    })
}

/// What is in both of two ascending lists.
pub(crate) fn both(one: &[u64], other: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut other = other.peekable();
    let is_there = |position: &u64| {
        while other.next_if(|next| next < position).is_some() {}
        other.peek() == Some(position)
    };
    one.iter().copied().filter(is_there).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_is_read() {
        let positions = [1001, 1002, 1129, 1130, 17_514, u64::from(u32::MAX) * 9];
        let mut list = List::after(1000);
        for position in positions {
            list.push(position);
            list.push(position);
        }
        assert_eq!(read(1000, list.bytes()).collect::<Vec<_>>(), positions);
        assert_eq!(list.bytes()[..2], [1, 1], "neighbours take a byte each");
    }

    #[test]
    fn bytes_that_are_no_list_end_it() {
        assert_eq!(read(0, &[3, 0x80]).collect::<Vec<_>>(), [3]);
        assert_eq!(read(0, &[0x80; 40]).count(), 0);
    }

    #[test]
    fn two_lists_meet() {
        assert_eq!(both(&[1, 3, 5, 9], [2, 3, 4, 9, 11].into_iter()), [3, 9]);
        assert!(both(&[1], std::iter::empty()).is_empty());
    }
}
