// Makes the server of compose.yaml a replica set, and the user of the pipelines; again it does nothing.
const found = (() => {
  try {
    return rs.status().ok;
  } catch (error) {
    return 0;
  }
})();
if (!found) {
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] });
}
while (!db.hello().isWritablePrimary) {
  sleep(500);
}
const admin = db.getSiblingDB("admin");
if (!admin.getUser("storycanvas")) {
  admin.createUser({
    user: "storycanvas",
    pwd: process.env.PASSWORD,
    roles: [
      { role: "readWrite", db: "storyboard" },
      { role: "dbAdmin", db: "storyboard" },
    ],
  });
}
