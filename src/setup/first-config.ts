/**
 * The first configuration: `packaging/rollcall.yaml`, which a program in one file has to carry. A test holds the two together.
 */

/** Its text. */
export const FIRST_CONFIG = `# /etc/rollcall/rollcall.yaml: owned by root, writable by root alone.
# Every key that is not here has the default of the README. "rollcall check" finds mistakes.

iam:
  url: https://iam.example.org/scim/v2
  tokenFile: /etc/rollcall/token # mode 0600; or a systemd credential, or ROLLCALL_IAM_TOKEN
  users:
    query: "" # as the server takes it; encoded for you
  pageSize: 200
  parallel: 4

attributes:
  user: # slash paths into a User resource
    name: userName
    uid: urn:example:params:scim:schemas:extension:posix:2.0:User/uidNumber
    gid: urn:example:params:scim:schemas:extension:posix:2.0:User/gidNumber
    # gecos: name/formatted # displayName without it
    keys: urn:example:params:scim:schemas:extension:posix:2.0:User/sshKeys
  group:
    gid: urn:example:params:scim:schemas:extension:posix:2.0:Group/gidNumber

# homes: # /home/%u without it; who has a home moves with a change of path, so choose before the first sync
#   path: /mnt/home/%u
#   under: [/home, /mnt/home]

# access: # who exists here, and who may log in; without it everybody
#   visible: all
#   login: { groups: [research] }

# sudo:
#   groups:
#     - { group: hpc-admins } # with their password; passwordless: true without

# slurm: # on one node of the cluster
#   enabled: true
#   accounts:
#     - { account: nlp, group: research-nlp }
#     - { account: users, everybody: true }
`;
