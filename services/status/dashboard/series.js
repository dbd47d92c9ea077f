// What follows from a portfolio's daily returns: drawdown, months, rolling figures. Returns are fractions, close to close.

const YEAR = 252;

/** The fall from the highest value so far, 0 or less. `start` is what the portfolio began with. */
export function drawdown(values, start) {
  let high = start;
  return values.map((value) => {
    high = Math.max(high, value);
    return high > 0 ? value / high - 1 : null;
  });
}

/**
 * The falls of a value that began with `start`: `{high, low, back, depth}`, the places of the highest value before (−1: the
 * beginning), of the lowest, and of the first that is as high again (null: none yet).
 */
export function falls(values, start) {
  const found = [];
  let top = { place: -1, value: start };
  let fall = null;
  values.forEach((value, place) => {
    if (value >= top.value) {
      if (fall) found.push({ ...fall, back: place });
      fall = null;
      top = { place, value };
    } else if (top.value > 0 && (!fall || value / top.value - 1 < fall.depth)) {
      fall = { high: top.place, low: place, back: null, depth: value / top.value - 1 };
    }
  });
  return fall ? [...found, fall] : found;
}

/** The return of each month: `[{year, month, gain}]`; that of the first is from what the portfolio began with. */
export function months(dates, returns) {
  const found = new Map();
  dates.forEach((date, place) => {
    const month = date.slice(0, 7);
    found.set(month, (found.get(month) ?? 1) * (1 + (returns[place] ?? 0)));
  });
  return [...found].map(([month, growth]) => ({ year: month.slice(0, 4), month: Number(month.slice(5)), gain: growth - 1 }));
}

/** Standard deviation over a year and Sharpe ratio of the `days` returns up to each date; null before there are so many. */
export function rolling(returns, days) {
  let sum = 0, squares = 0;
  const volatility = [], sharpe = [];
  returns.forEach((value, place) => {
    const last = value ?? 0;
    sum += last;
    squares += last * last;
    if (place >= days) {
      const gone = returns[place - days] ?? 0;
      sum -= gone;
      squares -= gone * gone;
    }
    if (place + 1 < days) {
      volatility.push(null);
      sharpe.push(null);
      return;
    }
    const mean = sum / days;
    const deviation = Math.sqrt(Math.max(0, (squares - days * mean * mean) / (days - 1)));
    volatility.push(deviation * Math.sqrt(YEAR));
    sharpe.push(deviation > 1e-9 ? mean / deviation * Math.sqrt(YEAR) : null);
  });
  return { volatility, sharpe };
}

/** Dollars bought and sold in each month over the mean value in it. */
export function turnover(trades, dates, values) {
  const worth = new Map();
  dates.forEach((date, place) => {
    const month = date.slice(0, 7);
    if (!worth.has(month)) worth.set(month, []);
    worth.get(month).push(values[place]);
  });
  const traded = new Map([...worth.keys()].map((month) => [month, 0]));
  for (const trade of trades) {
    const month = trade.date.slice(0, 7);
    if (traded.has(month)) traded.set(month, traded.get(month) + trade.quantity * trade.price);
  }
  return [...traded].map(([month, dollars]) => {
    const mean = worth.get(month).reduce((sum, value) => sum + value, 0) / worth.get(month).length;
    return { month, share: mean > 0 ? dollars / mean : null };
  });
}
