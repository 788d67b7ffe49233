"""The rules of docs/reference/ledger-format.md, one module for each kind; soma_verify.py beside it runs them."""
