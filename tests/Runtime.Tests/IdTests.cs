namespace Orderwright.Runtime.Tests;

/// <summary>Ids made independently by every process.</summary>
public class IdTests
{
    static readonly DateTimeOffset Now = new(2026, 11, 27, 12, 0, 0, 123, TimeSpan.Zero);
    readonly IdSource ids = new();

    [Fact]
    public void An_id_is_a_UUIDv7_of_the_given_time()
    {
        var id = ids.Next(Now);
        Assert.Equal(7, id.Version);
        Assert.InRange(id.Variant, 8, 11);
        Assert.Equal(Guid.CreateVersion7(Now).ToString()[..13], id.ToString()[..13]);
    }

    [Fact]
    public void Ids_of_a_later_moment_come_after()
    {
        var (earlier, later) = (ids.Next(Now), ids.Next(Now.AddMilliseconds(1)));
        Assert.True(earlier.CompareTo(later) < 0);
        Assert.True(Ids.FirstAt(Now).CompareTo(earlier) <= 0);
        Assert.True(Ids.FirstAt(Now.AddMilliseconds(1)).CompareTo(earlier) > 0);
    }

    [Fact]
    public async Task No_two_are_alike_whichever_threads_make_them()
    {
        var made = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => Task.Run(() => Enumerable.Range(0, 5_000).Select(_ => ids.Next(Now)).ToList())));
        Assert.Equal(40_000, made.SelectMany(some => some).Distinct().Count());
    }

    [Fact]
    public void Their_74_random_bits_are_each_set_half_of_the_time()
    {
        const int Made = 10_000;
        var set = new int[128];
        for (var i = 0; i < Made; i++)
        {
            var bytes = ids.Next(Now).ToByteArray(bigEndian: true);
            for (var bit = 0; bit < 128; bit++)
                if ((bytes[bit / 8] >> (7 - bit % 8) & 1) == 1)
                    set[bit]++;
        }
        // 48 bits of time, 4 of the version, 2 of the variant. 600 are twelve standard deviations.
        var random = Enumerable.Range(52, 12).Concat(Enumerable.Range(66, 62)).ToList();
        Assert.Equal(74, random.Count);
        Assert.All(random, bit => Assert.InRange(set[bit], Made / 2 - 600, Made / 2 + 600));
    }
}
