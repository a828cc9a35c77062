CREATE TABLE authorities (
	number SERIAL NOT NULL, 
	certificate BYTEA NOT NULL, 
	until BIGINT NOT NULL, 
	PRIMARY KEY (number)
);
CREATE TABLE entries (
	id SERIAL NOT NULL, 
	body BYTEA NOT NULL, 
	leaf BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (leaf)
);
CREATE TABLE forward_marks (
	first VARCHAR(32) NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	number BIGINT NOT NULL, 
	PRIMARY KEY (first, kind, number)
);
CREATE TABLE forward_notes (
	id VARCHAR(32) NOT NULL, 
	first VARCHAR(32) NOT NULL, 
	tries INTEGER NOT NULL, 
	due BIGINT, 
	gone INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_forward_notes_first ON forward_notes (first);
CREATE TABLE forwards (
	number SERIAL NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	endpoint VARCHAR(20) NOT NULL, 
	wrapped BYTEA NOT NULL, 
	rows INTEGER NOT NULL, 
	sent INTEGER NOT NULL, 
	refused INTEGER NOT NULL, 
	queued BIGINT NOT NULL, 
	PRIMARY KEY (number), 
	UNIQUE (id)
);
CREATE INDEX ix_forwards_endpoint ON forwards (endpoint);
CREATE TABLE heard (
	id SERIAL NOT NULL, 
	digests BYTEA NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE journals (
	id VARCHAR(40) NOT NULL, 
	wrapped BYTEA NOT NULL, 
	opened BIGINT NOT NULL, 
	turn BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE meta (
	name VARCHAR(40) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE persons (
	id BIGINT NOT NULL, 
	name_sealed BYTEA, 
	contact_sealed BYTEA, 
	PRIMARY KEY (id)
);
CREATE TABLE segments (
	id VARCHAR(32) NOT NULL, 
	category VARCHAR(40) NOT NULL, 
	ground VARCHAR(12) NOT NULL, 
	day VARCHAR(10) NOT NULL, 
	bucket INTEGER NOT NULL, 
	pack VARCHAR(40) NOT NULL, 
	rows BIGINT NOT NULL, 
	bytes BIGINT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	first BIGINT NOT NULL, 
	last BIGINT NOT NULL, 
	created BIGINT NOT NULL, 
	wrapped BYTEA NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX segments_by_place ON segments (category, ground, day, bucket);
CREATE TABLE site_keys (
	name VARCHAR(40) NOT NULL, 
	wrapped BYTEA NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE strays (
	path TEXT NOT NULL, 
	PRIMARY KEY (path)
);
CREATE TABLE transfers (
	id VARCHAR(32) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	asked BIGINT NOT NULL, 
	body TEXT NOT NULL, 
	verdict TEXT, 
	judged TEXT, 
	PRIMARY KEY (id)
);
CREATE TABLE upload_days (
	vehicle BIGINT NOT NULL, 
	day BIGINT NOT NULL, 
	bytes BIGINT NOT NULL, 
	PRIMARY KEY (vehicle, day)
);
CREATE TABLE uploads (
	id VARCHAR(32) NOT NULL, 
	vehicle BIGINT NOT NULL, 
	until BIGINT NOT NULL, 
	size BIGINT NOT NULL, 
	manifest BYTEA NOT NULL, 
	"offset" BIGINT NOT NULL, 
	step BIGINT NOT NULL, 
	state BYTEA NOT NULL, 
	open BOOLEAN NOT NULL, 
	fate VARCHAR(12) NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_uploads_vehicle ON uploads (vehicle);
CREATE TABLE vehicles (
	id BIGINT NOT NULL, 
	vin_mac BYTEA NOT NULL, 
	vin_sealed BYTEA NOT NULL, 
	added BIGINT NOT NULL, 
	restricted BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (vin_mac)
);
CREATE TABLE zones (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	kind VARCHAR(12) NOT NULL, 
	source VARCHAR(400) NOT NULL, 
	datum VARCHAR(12) NOT NULL, 
	margin_m INTEGER NOT NULL, 
	geojson BYTEA NOT NULL, 
	features INTEGER NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	imported BIGINT NOT NULL, 
	imported_by VARCHAR(80) NOT NULL, 
	removed BIGINT, 
	PRIMARY KEY (id)
);
CREATE TABLE certificates (
	serial VARCHAR(40) NOT NULL, 
	vehicle BIGINT NOT NULL, 
	sha256 BYTEA NOT NULL, 
	key BYTEA NOT NULL, 
	authority INTEGER NOT NULL, 
	start BIGINT NOT NULL, 
	until BIGINT NOT NULL, 
	revoked BIGINT, 
	PRIMARY KEY (serial), 
	FOREIGN KEY(vehicle) REFERENCES vehicles (id), 
	UNIQUE (sha256), 
	FOREIGN KEY(authority) REFERENCES authorities (number)
);
CREATE INDEX ix_certificates_key ON certificates (key);
CREATE INDEX ix_certificates_vehicle ON certificates (vehicle);
CREATE TABLE chips (
	vehicle BIGINT NOT NULL, 
	chip_mac BYTEA NOT NULL, 
	key_sealed BYTEA NOT NULL, 
	at BIGINT NOT NULL, 
	PRIMARY KEY (vehicle), 
	FOREIGN KEY(vehicle) REFERENCES vehicles (id), 
	UNIQUE (chip_mac)
);
CREATE TABLE consent_changes (
	vehicle BIGINT NOT NULL, 
	turn BIGINT NOT NULL, 
	PRIMARY KEY (vehicle), 
	FOREIGN KEY(vehicle) REFERENCES vehicles (id)
);
CREATE INDEX ix_consent_changes_turn ON consent_changes (turn);
CREATE TABLE consents (
	id BIGINT NOT NULL, 
	person BIGINT NOT NULL, 
	vehicle BIGINT NOT NULL, 
	purpose VARCHAR(80) NOT NULL, 
	category VARCHAR(40) NOT NULL, 
	start BIGINT NOT NULL, 
	until BIGINT, 
	withdrawn BIGINT, 
	notice VARCHAR(40) NOT NULL, 
	separate BOOLEAN NOT NULL, 
	recipients TEXT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(person) REFERENCES persons (id), 
	FOREIGN KEY(vehicle) REFERENCES vehicles (id)
);
CREATE INDEX ix_consents_vehicle ON consents (vehicle);
CREATE TABLE drivers (
	id BIGINT NOT NULL, 
	vehicle BIGINT NOT NULL, 
	person BIGINT NOT NULL, 
	mark_mac BYTEA NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(vehicle) REFERENCES vehicles (id), 
	FOREIGN KEY(person) REFERENCES persons (id)
);
CREATE UNIQUE INDEX drivers_by_vehicle ON drivers (vehicle, person);
CREATE TABLE identity_changes (
	vehicle BIGINT NOT NULL, 
	turn BIGINT NOT NULL, 
	PRIMARY KEY (vehicle), 
	FOREIGN KEY(vehicle) REFERENCES vehicles (id)
);
CREATE INDEX ix_identity_changes_turn ON identity_changes (turn);
CREATE TABLE keepers (
	vehicle BIGINT NOT NULL, 
	person BIGINT NOT NULL, 
	role VARCHAR(12) NOT NULL, 
	start BIGINT NOT NULL, 
	until BIGINT, 
	PRIMARY KEY (vehicle, person), 
	FOREIGN KEY(vehicle) REFERENCES vehicles (id), 
	FOREIGN KEY(person) REFERENCES persons (id)
);
CREATE TABLE permits (
	id VARCHAR(32) NOT NULL, 
	transfer VARCHAR(32) NOT NULL, 
	note TEXT NOT NULL, 
	granted BIGINT NOT NULL, 
	revoked BIGINT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(transfer) REFERENCES transfers (id)
);
CREATE TABLE policies (
	vehicle BIGINT NOT NULL, 
	version INTEGER NOT NULL, 
	made BIGINT NOT NULL, 
	until BIGINT NOT NULL, 
	content VARCHAR(71) NOT NULL, 
	note TEXT NOT NULL, 
	salt VARCHAR(32) NOT NULL, 
	entry INTEGER NOT NULL, 
	PRIMARY KEY (vehicle, version), 
	FOREIGN KEY(vehicle) REFERENCES vehicles (id), 
	FOREIGN KEY(entry) REFERENCES entries (id)
);
CREATE TABLE retirements (
	vehicle BIGINT NOT NULL, 
	at BIGINT NOT NULL, 
	PRIMARY KEY (vehicle), 
	FOREIGN KEY(vehicle) REFERENCES vehicles (id)
);
CREATE TABLE rights_cases (
	id VARCHAR(32) NOT NULL, 
	vehicle BIGINT NOT NULL, 
	kind VARCHAR(12) NOT NULL, 
	asked BIGINT NOT NULL, 
	asked_by VARCHAR(80) NOT NULL, 
	turn BIGINT, 
	state VARCHAR(16) NOT NULL, 
	done BIGINT, 
	entry INTEGER, 
	certificate TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(vehicle) REFERENCES vehicles (id), 
	FOREIGN KEY(entry) REFERENCES entries (id)
);
CREATE TABLE transfer_papers (
	transfer VARCHAR(32) NOT NULL, 
	kind VARCHAR(40) NOT NULL, 
	number VARCHAR(80) NOT NULL, 
	filed BIGINT NOT NULL, 
	filed_by VARCHAR(80) NOT NULL, 
	until VARCHAR(10), 
	sha256 VARCHAR(64), 
	PRIMARY KEY (transfer, kind), 
	FOREIGN KEY(transfer) REFERENCES transfers (id)
);
CREATE TABLE vehicle_acts (
	entry INTEGER NOT NULL, 
	vehicle BIGINT NOT NULL, 
	paper TEXT NOT NULL, 
	PRIMARY KEY (entry), 
	FOREIGN KEY(entry) REFERENCES entries (id), 
	FOREIGN KEY(vehicle) REFERENCES vehicles (id)
);
CREATE INDEX ix_vehicle_acts_vehicle ON vehicle_acts (vehicle);
CREATE TABLE checkins (
	vehicle BIGINT NOT NULL, 
	version INTEGER NOT NULL, 
	first BIGINT NOT NULL, 
	last BIGINT NOT NULL, 
	PRIMARY KEY (vehicle, version), 
	FOREIGN KEY(vehicle, version) REFERENCES policies (vehicle, version)
);
CREATE TABLE drives (
	id SERIAL NOT NULL, 
	vehicle BIGINT NOT NULL, 
	at BIGINT NOT NULL, 
	driver BIGINT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(vehicle) REFERENCES vehicles (id), 
	FOREIGN KEY(driver) REFERENCES drivers (id)
);
CREATE UNIQUE INDEX drives_by_vehicle ON drives (vehicle, at);
CREATE TABLE parcels (
	id VARCHAR(40) NOT NULL, 
	transfer VARCHAR(32) NOT NULL, 
	permit VARCHAR(32) NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	reserved BIGINT NOT NULL, 
	"left" BIGINT, 
	manifest TEXT, 
	sha256 VARCHAR(64), 
	entry INTEGER, 
	PRIMARY KEY (id), 
	FOREIGN KEY(transfer) REFERENCES transfers (id), 
	FOREIGN KEY(permit) REFERENCES permits (id), 
	FOREIGN KEY(entry) REFERENCES entries (id)
);
CREATE TABLE receipts (
	entry INTEGER NOT NULL, 
	consent BIGINT NOT NULL, 
	paper TEXT NOT NULL, 
	PRIMARY KEY (entry), 
	FOREIGN KEY(entry) REFERENCES entries (id), 
	FOREIGN KEY(consent) REFERENCES consents (id)
);
CREATE INDEX ix_receipts_consent ON receipts (consent);
CREATE TABLE meter (
	parcel VARCHAR(40) NOT NULL, 
	person BIGINT NOT NULL, 
	permit VARCHAR(32) NOT NULL, 
	year INTEGER NOT NULL, 
	sensitive BOOLEAN NOT NULL, 
	PRIMARY KEY (parcel, person), 
	FOREIGN KEY(parcel) REFERENCES parcels (id), 
	FOREIGN KEY(permit) REFERENCES permits (id)
);
CREATE INDEX ix_meter_permit ON meter (permit);
CREATE INDEX ix_meter_year ON meter (year);
