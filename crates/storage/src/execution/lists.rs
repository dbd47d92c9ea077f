//! Lists of different lengths as parameters of one statement, which UNNEST cannot take: all items in one array, and where
//! each row's list begins and ends in it.

use std::collections::BTreeMap;

/// The lists of rows, each different one once.
pub(super) struct Lists<'a, T> {
    /// The items of all lists.
    pub(super) items: Vec<T>,
    /// Of each row: the place of its list's first item, counted from 1.
    pub(super) firsts: Vec<i32>,
    /// Of each row: the place of its list's last item; before the first one when the list is empty.
    pub(super) lasts: Vec<i32>,
    known: BTreeMap<&'a [T], (i32, i32)>,
}

impl<'a, T: Ord + Clone> Lists<'a, T> {
    /// The lists of rows, in the order of the rows.
    pub(super) fn of(rows: impl Iterator<Item = &'a [T]>) -> Self {
        let mut lists =
            Self { items: Vec::new(), firsts: Vec::new(), lasts: Vec::new(), known: BTreeMap::new() };
        for row in rows {
            let (first, last) = lists.place(row);
            lists.firsts.push(first);
            lists.lasts.push(last);
        }
        lists
    }

    fn place(&mut self, list: &'a [T]) -> (i32, i32) {
        if let Some(place) = self.known.get(list) {
            return *place;
        }
        let length = |items: usize| i32::try_from(items).unwrap_or(i32::MAX);
        let before = length(self.items.len());
        self.items.extend_from_slice(list);
        let place = (before + 1, length(self.items.len()));
        self.known.insert(list, place);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_share_equal_lists_and_an_empty_one_ends_before_it_begins() {
        let rows: [&[u8]; 4] = [&[1, 2], &[3], &[], &[1, 2]];

        let lists = Lists::of(rows.into_iter());

        assert_eq!(lists.items, [1, 2, 3]);
        assert_eq!((lists.firsts, lists.lasts), (vec![1, 3, 4, 1], vec![2, 3, 3, 2]));
    }
}
