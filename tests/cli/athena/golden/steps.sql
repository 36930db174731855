records AS (
  SELECT
    COALESCE(NULLIF("pkt_srcaddr", '-'), "srcaddr") AS "src",
    COALESCE(NULLIF("pkt_dstaddr", '-'), "dstaddr") AS "dst",
    "tcp_flags" AS "flags",
    "flow_direction" AS "logged_side",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "interface_id",
    "instance_id",
    "subnet_id",
    "pkt_src_aws_service",
    "pkt_dst_aws_service"
  FROM "flow_logs"
  WHERE "day" BETWEEN '2026/01/02' AND '2026/01/03'
    AND "start" >= 1767312000 AND "start" < 1767398400
    AND action IN ('ACCEPT', 'REJECT')
),
parsed AS (
  SELECT
    *,
    TRY_CAST(src AS ipaddress) AS src_ip,
    TRY_CAST(dst AS ipaddress) AS dst_ip,
    srcport IN (
      20, 21, 22, 23, 25, 53, 80, 88, 110, 111, 123, 135, 139, 143, 161, 179, 389, 443, 445, 464, 465,
      514, 587, 636, 873, 993, 995, 1433, 1521, 2049, 2181, 2379, 3128, 3260, 3268, 3269, 3306, 3389,
      4222, 5044, 5432, 5439, 5601, 5671, 5672, 5900, 5985, 5986, 6379, 6443, 8000, 8080, 8443, 8883,
      9042, 9090, 9092, 9094, 9100, 9200, 9300, 10250, 11211, 15672, 26379, 27017, 50051, 61616
    ) AS src_named,
    dstport IN (
      20, 21, 22, 23, 25, 53, 80, 88, 110, 111, 123, 135, 139, 143, 161, 179, 389, 443, 445, 464, 465,
      514, 587, 636, 873, 993, 995, 1433, 1521, 2049, 2181, 2379, 3128, 3260, 3268, 3269, 3306, 3389,
      4222, 5044, 5432, 5439, 5601, 5671, 5672, 5900, 5985, 5986, 6379, 6443, 8000, 8080, 8443, 8883,
      9042, 9090, 9092, 9094, 9100, 9200, 9300, 10250, 11211, 15672, 26379, 27017, 50051, 61616
    ) AS dst_named
  FROM records
),
classified AS (
  SELECT
    *,
    CASE
      WHEN (contains('0.0.0.0/32', src_ip)
        OR contains('127.0.0.0/8', src_ip)
        OR contains('169.254.0.0/16', src_ip)
        OR contains('224.0.0.0/4', src_ip)
        OR contains('255.255.255.255/32', src_ip)
        OR contains('::/127', src_ip)
        OR contains('fe80::/10', src_ip)
        OR contains('ff00::/8', src_ip))
        THEN 'local'
      WHEN (contains('10.200.0.0/16', src_ip))
        THEN 'partner'
      WHEN (contains('10.0.0.0/8', src_ip)
        OR contains('172.16.0.0/12', src_ip)
        OR contains('192.168.0.0/16', src_ip)
        OR contains('100.64.0.0/10', src_ip)
        OR contains('198.18.0.0/15', src_ip)
        OR contains('fc00::/7', src_ip)
        OR contains('2001:db8::/56', src_ip))
        THEN 'own'
      WHEN pkt_src_aws_service NOT IN ('-', 'AMAZON', 'API_GATEWAY', 'CLOUDFRONT', 'EC2', 'GLOBALACCELERATOR')
        THEN 'aws-service'
      ELSE 'internet'
    END AS src_class,
    CASE
      WHEN (contains('0.0.0.0/32', dst_ip)
        OR contains('127.0.0.0/8', dst_ip)
        OR contains('169.254.0.0/16', dst_ip)
        OR contains('224.0.0.0/4', dst_ip)
        OR contains('255.255.255.255/32', dst_ip)
        OR contains('::/127', dst_ip)
        OR contains('fe80::/10', dst_ip)
        OR contains('ff00::/8', dst_ip))
        THEN 'local'
      WHEN (contains('10.200.0.0/16', dst_ip))
        THEN 'partner'
      WHEN (contains('10.0.0.0/8', dst_ip)
        OR contains('172.16.0.0/12', dst_ip)
        OR contains('192.168.0.0/16', dst_ip)
        OR contains('100.64.0.0/10', dst_ip)
        OR contains('198.18.0.0/15', dst_ip)
        OR contains('fc00::/7', dst_ip)
        OR contains('2001:db8::/56', dst_ip))
        THEN 'own'
      WHEN pkt_dst_aws_service NOT IN ('-', 'AMAZON', 'API_GATEWAY', 'CLOUDFRONT', 'EC2', 'GLOBALACCELERATOR')
        THEN 'aws-service'
      ELSE 'internet'
    END AS dst_class,
    src_named AND NOT dst_named AND dstport >= CASE WHEN srcport < 1024 THEN 1024 ELSE 32768 END AS src_serves,
    dst_named AND NOT src_named AND srcport >= CASE WHEN dstport < 1024 THEN 1024 ELSE 32768 END AS dst_serves
  FROM parsed
),
directed AS (
  SELECT
    *,
    CASE
      WHEN logged_side IN ('ingress', 'egress') THEN logged_side
      WHEN dst_class = 'own' AND src_class <> 'own' THEN 'ingress'
      WHEN src_class = 'own' AND dst_class <> 'own' THEN 'egress'
    END AS side,
    CASE
      WHEN bitwise_and(flags, 18) = 18 THEN false
      WHEN bitwise_and(flags, 2) = 2 THEN true
      WHEN protocol = 6 AND flags IS NOT NULL AND action = 'REJECT' THEN NULL
      WHEN srcport = dstport OR protocol IN (1, 58) THEN NULL
      WHEN dst_serves THEN true
      WHEN src_serves THEN false
      WHEN action = 'REJECT' AND NOT (srcport < 32768 AND dstport >= 32768) THEN true
      WHEN srcport < dstport THEN false
      WHEN srcport > dstport THEN true
    END AS from_source,
    CASE
      WHEN bitwise_and(flags, 2) = 2 THEN true
      WHEN src_serves OR dst_serves THEN true
      WHEN action = 'REJECT' AND NOT (srcport < 32768 AND dstport >= 32768)
        THEN NOT (protocol = 17 AND srcport >= 32768 AND dstport >= 32768)
      ELSE flags IS NULL
        AND least(srcport, dstport) < 32768 AND greatest(srcport, dstport) >= 32768
    END AS sure
  FROM classified
),
flows AS (
  SELECT
    CASE WHEN from_source THEN src ELSE dst END AS client,
    CASE WHEN from_source THEN dst ELSE src END AS server,
    CASE WHEN from_source THEN src_class ELSE dst_class END AS client_class,
    CASE WHEN from_source THEN dst_class ELSE src_class END AS server_class,
    CASE WHEN from_source THEN srcport ELSE dstport END AS client_port,
    CASE WHEN from_source THEN dstport ELSE srcport END AS port,
    from_source AS forward,
    sure, side, protocol, packets, bytes, "start", "end", action, flags,
    interface_id, instance_id, subnet_id
  FROM directed
  WHERE from_source IS NOT NULL
)
