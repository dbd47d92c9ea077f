-- Results say which of their prices are adjusted for dividends.
GRANT SELECT ON market.total_return_symbols TO modelday_status;
