using System.Collections;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Orderwright.Hosting;
using Orderwright.Runtime;
using Orderwright.Http;

namespace Orderwright.EndToEnd;

/// <summary>Values read from outside.</summary>
public sealed class HttpValueTests
{
    static readonly JsonSerializerOptions Times = new() { Converters = { new UtcMillisecondsConverter() } };

    [Theory]
    [InlineData("4111111111111111")]
    [InlineData("card 4111-1111-1111-1111.")]
    [InlineData("30569309025904")]
    [InlineData("4222222222222")]
    [InlineData("tok_4242424242424242")]
    [InlineData("6304000000000000000")]
    [InlineData("4111  1111  1111  1111")]
    public void Card_numbers_are_found(string text) =>
        Assert.True(CardNumbers.Contains(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("4111111111111112")]                      // Luhn says no
    [InlineData("411111111111")]                          // 12 digits
    [InlineData("41111111111111111111")]                  // 20 digits
    [InlineData("4006381333931")]                         // EAN-13
    [InlineData("10614141000415")]                        // GTIN-14
    [InlineData("0198f3a4-1234-7123-8123-123456789012")]  // UUID
    [InlineData("1735689600.000")]
    [InlineData("")]
    public void Common_shop_data_is_not_a_card_number(string text) =>
        Assert.False(CardNumbers.Contains(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("Card 4111-1111-1111-1111 and 5555555555554444.", "Card ****-****-****-**** and ****************.")]
    [InlineData("{\"n\":378282246310005}", "{\"n\":***************}")]
    [InlineData("EAN 4006381333931, tok_1A2b, 1769851800", "EAN 4006381333931, tok_1A2b, 1769851800")]
    [InlineData("", "")]
    public void Card_numbers_in_stored_text_are_masked(string text, string kept) =>
        Assert.Equal(kept, CardNumbers.Masked(text));

    [Fact]
    public void No_uuid_is_taken_for_a_card_number()
    {
        var random = new Random(7);
        var bytes = new byte[16];
        for (var i = 0; i < 200_000; i++)
        {
            random.NextBytes(bytes);
            var uuid = new Guid(bytes).ToString();
            Assert.False(CardNumbers.Contains(Encoding.ASCII.GetBytes(uuid)), uuid);
        }
    }

    [Theory]
    [InlineData("2026-01-31T09:30:00.1239Z", "2026-01-31T09:30:00.123Z")]
    [InlineData("2026-01-31T10:30:00+01:00", "2026-01-31T09:30:00.000Z")]
    [InlineData("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.000Z")]
    public void A_time_is_kept_in_utc_to_the_millisecond(string read, string written)
    {
        var time = JsonSerializer.Deserialize<DateTimeOffset>($"\"{read}\"", Times);
        Assert.Equal($"\"{written}\"", JsonSerializer.Serialize(time, Times));
    }

    [Theory]
    [InlineData("\"2026-01-31T09:30:00\"")]
    [InlineData("\"2026-01-31\"")]
    [InlineData("\"yesterday\"")]
    [InlineData("1767000000")]
    public void A_time_without_an_offset_is_none(string json) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<DateTimeOffset>(json, Times));

    [Theory]
    [InlineData("250ms", 250)]
    [InlineData("5s", 5_000)]
    [InlineData("15m", 900_000)]
    [InlineData("2h", 7_200_000)]
    [InlineData("90d", 7_776_000_000)]
    [InlineData("00:00:05", 5_000)]
    public void A_duration_has_a_unit(string text, double milliseconds) =>
        Assert.Equal(milliseconds, Settings.Duration(text)?.TotalMilliseconds);

    [Theory]
    [InlineData("5")]
    [InlineData("-5s")]
    [InlineData("5 parsecs")]
    [InlineData("99999999999999999999s")]
    public void A_duration_without_a_unit_is_none(string text) => Assert.Null(Settings.Duration(text));

    [Fact]
    public void A_setting_may_be_spelt_either_way_and_an_argument_wins()
    {
        var settings = Read(["--max-messages", "7"], ("ORDERWRIGHT_MAXMESSAGES", "9"), ("ORDERWRIGHT_TIMER_INTERVAL", "1s"));
        var options = settings.Bind<RuntimeOptions>();

        Assert.Equal(7, options.MaxMessages);
        Assert.Equal(TimeSpan.FromSeconds(1), options.TimerInterval);
        Assert.Equal(new RuntimeOptions().Prefetch, options.Prefetch);
    }

    [Fact]
    public void A_setting_may_stand_in_a_file()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "sqlite:/somewhere\n");
        Assert.Equal("sqlite:/somewhere", Read([], ("ORDERWRIGHT_DATABASE_FILE", file))["DATABASE"]);
        File.Delete(file);
        Assert.Throws<InvalidSettingException>(() => Read([], ("ORDERWRIGHT_DATABASE_FILE", file)));
    }

    [Fact]
    public void An_unknown_setting_is_reported()
    {
        var source = new SettingsSource([], new Hashtable { ["ORDERWRIGHT_MAXMESAGES"] = "1", ["ORDERWRIGHT_URL"] = "x" });
        new ConfigurationBuilder().Add(source).Build().Bind<RuntimeOptions>();
        Assert.Equal(["ORDERWRIGHT_MAXMESAGES"], source.Unknown());
    }

    [Theory]
    [InlineData("http://127.0.0.1:4000", true)]
    [InlineData("http://localhost:4000", true)]
    [InlineData("http://[::1]:4000", true)]
    [InlineData("http://127.9.9.9:4000", true)]
    [InlineData("http://0.0.0.0:4000", false)]
    [InlineData("http://[::]:4000", false)]
    [InlineData("http://*:4000", false)]
    [InlineData("http://10.0.0.1:4000", false)]
    [InlineData("http://[::ffff:10.0.0.1]:4000", false)]
    public void Loopback_addresses_are_recognized(string address, bool isLoopback) =>
        Assert.Equal(isLoopback, ListenAddress.Parse(address)!.IsLoopback);

    [Theory]
    [InlineData("sqlite:./data", "order-service", "SQLite in ./data")]
    [InlineData("postgres://u:p%40ss@db:5433", "order-service", "PostgreSQL orderwright_order on db:5433")]
    [InlineData("postgres://u:p@db/mine?sslmode=require", "stock-service", "PostgreSQL mine on db:5432")]
    [InlineData("Host=db;Username=u;Password=p", "saga-coordinator", "PostgreSQL orderwright_coordinator on db:5432")]
    public void An_address_is_described_without_its_password(string address, string service, string described) =>
        Assert.Equal(described, Databases.Describe(address, service));

    static IConfigurationRoot Read(string[] arguments, params (string Name, string Value)[] variables)
    {
        var environment = new Hashtable();
        foreach (var (name, value) in variables) environment[name] = value;
        return new ConfigurationBuilder().Add(new SettingsSource(arguments, environment)).Build();
    }
}
