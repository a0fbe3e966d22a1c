CREATE TABLE users (
    id SERIAL PRIMARY KEY,
    email VARCHAR(255) UNIQUE NOT NULL,
    username VARCHAR(100) UNIQUE NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    created_at TIMESTAMP DEFAULT NOW()
);

CREATE TABLE images (
    id SERIAL PRIMARY KEY,
    user_id INTEGER REFERENCES users(id),
    filename VARCHAR(255) NOT NULL,
    storage_path VARCHAR(500) NOT NULL,
    file_size INTEGER,
    width INTEGER,
    height INTEGER,
    image_type VARCHAR(20),
    category VARCHAR(50),
    tags TEXT[],
    uploaded_at TIMESTAMP DEFAULT NOW(),
    metadata JSONB
);

CREATE TABLE templates (
    id SERIAL PRIMARY KEY,
    image_id INTEGER REFERENCES images(id),
    title VARCHAR(255) NOT NULL,
    description TEXT,
    artist VARCHAR(255),
    source_url VARCHAR(500),
    face_count INTEGER DEFAULT 2,
    face_positions JSONB,
    popularity_score INTEGER DEFAULT 0,
    is_active BOOLEAN DEFAULT TRUE,
    created_at TIMESTAMP DEFAULT NOW()
);

CREATE TABLE faceswap_tasks (
    id SERIAL PRIMARY KEY,
    user_id INTEGER REFERENCES users(id),
    template_id INTEGER REFERENCES templates(id),
    husband_image_id INTEGER REFERENCES images(id),
    wife_image_id INTEGER REFERENCES images(id),
    result_image_id INTEGER REFERENCES images(id),
    status VARCHAR(20) DEFAULT 'pending',
    progress INTEGER DEFAULT 0,
    error_message TEXT,
    processing_time FLOAT,
    started_at TIMESTAMP,
    completed_at TIMESTAMP,
    created_at TIMESTAMP DEFAULT NOW()
);

CREATE TABLE crawl_tasks (
    id SERIAL PRIMARY KEY,
    source_type VARCHAR(50),
    search_query TEXT,
    filters JSONB,
    status VARCHAR(20) DEFAULT 'pending',
    images_collected INTEGER DEFAULT 0,
    created_at TIMESTAMP DEFAULT NOW()
);
