$TTL 1h
@	IN SOA ns1 hostmaster (
		2026112101 ; serial
		7200 3600 1209600 300 )
	NS	ns1
	NS	ns2.example.net.
	MX	10 mail
	CAA	0 issue "letsencrypt.org"
ns1	A	192.0.2.1
	AAAA	2001:db8::1
mail	A	192.0.2.25
www	300 A	192.0.2.80
	300 AAAA 2001:db8::80
ftp	CNAME	www
$INCLUDE /etc/bind/zones/spf.inc
; relative to the directory of named, not to this file
$INCLUDE "common/mail.zone" mail
$GENERATE 1-4 host-$ A 192.0.2.${100}
_sip._tcp SRV 0 5 5060 mail
lab	NS	ns.lab
ns.lab	A	192.0.2.66
*.dev	A	192.0.2.90
old	DNAME	dev
