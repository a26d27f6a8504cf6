"""Names of payers are looked up without accents: a bank writes CAFE where the account says Café."""

from shared.persistence.migrations import execute_script

revision = "0041"
down_revision = "0040"

LETTERS = (
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝàáâãåçèéêëìíîïñòóôõøùúûýÿĀāĂăĄąĆćĈĉĊċČčĎďĐđĒēĔĕĖėĘęĚěĜĝĞğĠġĢģĤ"
    "ĥĦħĨĩĪīĬĭĮįİıĲĳĴĵĶķĹĺĻļĽľĿŀŁłŃńŅņŇňŌōŎŏŐőŒŔŕŖŗŘřŚśŜŝŞşŠšŢţŤťŦŧŨũŪūŬŭŮůŰűŲųŴŵŶŷŸŹźŻżŽžſƠơƯư"
    "ǄǅǆǇǈǉǊǋǌǍǎǏǐǑǒǓǔǕǖǗǘǙǚǛǜǞǟǠǡǢǣǦǧǨǩǪǫǬǭǰǱǲǳǴǵǸǹǺǻǼǽȀȁȂȃȄȅȆȇȈȉȊȋȌȍȎȏȐȑȒȓȔȕȖȗȘșȚțȞȟȦȧȨȩȪȫȬȭȮ"
    "ȯȰȱȲȳḀḁḂḃḄḅḆḇḈḉḊḋḌḍḎḏḐḑḒḓḔḕḖḗḘḙḚḛḜḝḞḟḠḡḢḣḤḥḦḧḨḩḪḫḬḭḮḯḰḱḲḳḴḵḶḷḸḹḺḻḼḽḾḿṀṁṂṃṄṅṆṇṈṉṊṋṌṍṎṏṐṑṒṓṔ"
    "ṕṖṗṘṙṚṛṜṝṞṟṠṡṢṣṤṥṦṧṨṩṪṫṬṭṮṯṰṱṲṳṴṵṶṷṸṹṺṻṼṽṾṿẀẁẂẃẄẅẆẇẈẉẊẋẌẍẎẏẐẑẒẓẔẕẖẗẘẙẚẛẞẠạẢảẤấẦầẨẩẪẫẬậẮắẰằ"
    "ẲẳẴẵẶặẸẹẺẻẼẽẾếỀềỂểỄễỆệỈỉỊịỌọỎỏỐốỒồỔổỖỗỘộỚớỜờỞởỠỡỢợỤụỦủỨứỪừỬửỮữỰựỲỳỴỵỶỷỸỹ"
)
PLAIN = (
    "aaaaäaæceeeeiiiinooooöouuuüyaaaaaceeeeiiiinooooouuuyyaaaaaaccccccccddddeeeeeeeeeeggggggggh"
    "hhhiiiiiiiiiiiijjkkllllllllllnnnnnnooooooœrrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzsoouu"
    "dddlllnnnaaiioouuuuuuuuuuaaaaææggkkoooojdddggnnaaææaaaaeeeeiiiioooorrrruuuusstthhaaeeooooo"
    "oooyyaabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooop"
    "ppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwyasßaaaaaaaaaaaaaaaaaa"
    "aaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy"
)
TRANSLATED = f"translate(NORMALIZE(name, NFC), '{LETTERS}', '{PLAIN}')"
FOLDED = f"lower(CASE WHEN (octet_length(name) = char_length(name)) THEN name ELSE {TRANSLATED} END)"
SPELLED = (
    f"regexp_replace(regexp_replace(replace(replace(replace(replace(replace(replace({FOLDED}"
    ", 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), '[^a-z0-9]+', ' ', 'g')"
    r", '\m(gmbh|mbh|co|kg|ag|se|ltd|limited|inc|llc|bv|nv|sa|sarl|srl|spa)\M| ', '', 'g')"
)
INDEX = f"""
CREATE INDEX accounts_by_plain_name ON invoicing.accounts ({SPELLED});
DROP INDEX invoicing.accounts_by_name;
"""


def upgrade() -> None:
    """Make the new index while no account is written and reading goes on; only then the old one goes, in a moment."""
    execute_script(INDEX)
