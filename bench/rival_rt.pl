# rival_rt.pl QUEUES: into the database of RT_SITE_CONFIG puts so many queues, two custom fields, and a user who may file and read
# tickets in them.  Prints the user's token.
use strict;
use warnings;
use RT;
RT::LoadConfig();
RT::Init();

sub made
{
        my ($object, %values) = @_;
        my ($id, $why) = $object->Create(%values);
        die ref($object) . ": $why\n" unless $id;
        return $object;
}

my $system = RT->SystemUser;
my $user = made(RT::User->new($system), Name => 'bench', Privileged => 1);
my @fields = map { made(RT::CustomField->new($system), Name => $_, Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket') }
        'Item', 'Address';
for my $n (1 .. $ARGV[0]) {
        my $queue = made(RT::Queue->new($system), Name => "unit-$n");
        for my $right ('SeeQueue', 'CreateTicket', 'ShowTicket', 'SeeCustomField', 'ModifyCustomField', 'SetInitialCustomField') {
                my ($ok, $why) = $user->PrincipalObj->GrantRight(Right => $right, Object => $queue);
                die "$right: $why\n" unless $ok;
        }
        $_->AddToObject($queue) for @fields;
}
my ($ok, $why, $token) = RT::AuthToken->new($system)->Create(Owner => $user->Id, Description => 'benchmark');
die "token: $why\n" unless $ok;
print "$token\n";
