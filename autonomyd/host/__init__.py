"""The only hands and eyes of the daemon: everything that touches the machine (processes, files, sockets, systemd,
/proc) is here, and nothing here decides anything. What can't be read for want of permission is an absent value with a
reason in words; what is gone is `None`. Linux is read from /proc directly because it is looked at every second;
elsewhere psutil answers (the `*_psutil.py` files), with the same types."""
