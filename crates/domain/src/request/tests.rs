mod body;
mod resolution;
