# A terminal's environment: the notebooks' Python and not the hub's.
PATH=/opt/user/bin:/usr/local/bin:/usr/bin:/bin:/usr/games:$HOME/.local/bin
[ "$(id -u)" = 0 ] && PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH LANG=C.UTF-8
