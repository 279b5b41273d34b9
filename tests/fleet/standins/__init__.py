"""Services of others that hubs talk to, as they are from outside: real protocols, over HTTPS, judged in full."""
