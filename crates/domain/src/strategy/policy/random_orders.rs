//! The policy that draws its orders at random.

use chrono::Datelike;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rust_decimal::Decimal;

use crate::accounting::order::{Order, Side};
use crate::strategy::situation::Situation;
use crate::values::arithmetic::{exact_difference, exact_sum};

pub(super) fn decide(situation: &Situation<'_>, seed: u64, orders: u16) -> Vec<Order> {
    let mut draws = Draws::new(seed, situation);
    let sales = (0..orders).filter(|_| draws.below(2) == 1).count();
    let mut cash = situation.portfolio.cash();
    let mut placed = sell(situation, &mut draws, sales, &mut cash);
    let purchases = usize::from(orders) - placed.len();
    placed.extend(buy(situation, &mut draws, purchases, &mut cash));
    placed
}

/// Up to `count` sales of random parts of random positions.
fn sell(situation: &Situation<'_>, draws: &mut Draws, count: usize, cash: &mut Decimal) -> Vec<Order> {
    let mut left = situation.priced_positions();
    let mut placed = Vec::new();
    for _ in 0..count {
        let Some(place) = draws.place(left.len()) else { break };
        let (symbol, held, open) = &mut left[place];
        let quantity = 1 + draws.below(*held);
        let proceeds = situation.costs.proceeds(*open, quantity);
        let after = proceeds.and_then(|proceeds| exact_sum(*cash, proceeds));
        let Some(after) = after.filter(|after| *after >= Decimal::ZERO) else { continue };
        *cash = after;
        *held -= quantity;
        placed.push(Order::new(Side::Sell, symbol.as_str(), quantity));
        if *held == 0 {
            left.remove(place);
        }
    }
    placed
}

/// Up to `count` purchases of random members, each of at most its share of the cash.
fn buy(situation: &Situation<'_>, draws: &mut Draws, count: usize, cash: &mut Decimal) -> Vec<Order> {
    let members = situation.priced_members();
    let mut placed = Vec::new();
    for remaining in (1..=count).rev() {
        let Some(place) = draws.place(members.len()) else { break };
        let (symbol, open) = members[place];
        let limit = situation.costs.affordable(open, *cash, u32::try_from(remaining).unwrap_or(u32::MAX));
        if limit == 0 {
            continue;
        }
        let quantity = 1 + draws.below(limit);
        let outlay = situation.costs.outlay(open, quantity);
        let Some(after) = outlay.and_then(|outlay| exact_difference(*cash, outlay)) else { continue };
        *cash = after;
        placed.push(Order::new(Side::Buy, symbol.as_str(), quantity));
    }
    placed
}

/// Random numbers that depend on the seed, the day and the salt alone.
struct Draws(ChaCha8Rng);

impl Draws {
    fn new(seed: u64, situation: &Situation<'_>) -> Self {
        let day = i64::from(situation.as_of.today().num_days_from_ce());
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&day.to_le_bytes());
        key[16..].copy_from_slice(&fnv1a(situation.salt).to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number from 0 to `limit - 1`; 0 when `limit` is 0. The bias is below `limit / 2^64`: a multiplication takes
    /// the place of a rejection loop (D. Lemire, "Fast Random Integer Generation in an Interval", 2019).
    fn below(&mut self, limit: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(limit);
        (wide >> 64) as u64
    }

    /// An index of a list of `length`; `None` when the list is empty.
    fn place(&mut self, length: usize) -> Option<usize> {
        let place = usize::try_from(self.below(u64::try_from(length).ok()?)).ok()?;
        (place < length).then_some(place)
    }
}

/// The 128-bit FNV-1a hash (G. Fowler, L. C. Noll, K.-P. Vo). It never changes; the standard library's hashers may.
fn fnv1a(text: &str) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    text.bytes().fold(BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}
